#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// A direction of a mesh of ranks: `{"data", 4}`.
struct MeshAxis {
  std::string name;
  std::size_t size;
};

/// Ranks on a grid with named axes. Ranks are numbered row by row: the last axis is the fastest, so in
/// `Mesh{comm, {{"pipeline", 2}, {"data", 4}}}` ranks 0 to 3 are the data axis of the first stage.
///
/// Streams: the constructor splits the communicator once per axis and blocks as `split` does.
/// Errors: `ContractViolation` if the sizes do not multiply to the number of ranks, a name is used twice, or
/// an axis is asked for that does not exist.
template <SplittingCommunicator C>
class Mesh {
 public:
  Mesh(C const& communicator, std::vector<MeshAxis> axes) : axes_(std::move(axes)) {
    check(communicator.size());
    std::size_t stride = communicator.size();
    for (MeshAxis const& axis : axes_) {
      stride /= axis.size;
      std::size_t const coordinate = communicator.rank() / stride % axis.size;
      coordinates_.push_back(coordinate);
      communicators_.push_back(communicator.split(communicator.rank() - coordinate * stride, coordinate));
    }
  }

  Mesh(C const& communicator, std::initializer_list<MeshAxis> axes)
      : Mesh(communicator, std::vector<MeshAxis>(axes)) {}

  /// The ranks that differ from this one in that coordinate only, in its order.
  C axis(std::string_view name) const { return communicators_[index_of(name)]; }

  /// Where this rank is on that axis.
  std::size_t coordinate(std::string_view name) const { return coordinates_[index_of(name)]; }

  std::vector<MeshAxis> const& axes() const { return axes_; }

 private:
  void check(std::size_t ranks) const {
    std::size_t product = 1;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      product *= axes_[i].size;
      for (std::size_t earlier = 0; earlier < i; ++earlier) {
        if (axes_[earlier].name == axes_[i].name) {
          throw ContractViolation("mesh " + text() + ": two axes are called '" + axes_[i].name + "'");
        }
      }
    }
    if (product != ranks) {
      throw ContractViolation("mesh " + text() + " has " + std::to_string(product) +
                              " places, the communicator has " + std::to_string(ranks) + " ranks");
    }
  }

  std::size_t index_of(std::string_view name) const {
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (axes_[i].name == name) return i;
    }
    throw ContractViolation("mesh " + text() + " has no axis '" + std::string(name) + "'");
  }

  std::string text() const {
    std::string text;
    for (MeshAxis const& axis : axes_) {
      text += (text.empty() ? "" : " x ") + axis.name + '=' + std::to_string(axis.size);
    }
    return text.empty() ? "without axes" : text;
  }

  std::vector<MeshAxis> axes_;
  std::vector<std::size_t> coordinates_;
  std::vector<C> communicators_;
};

template <class C>
Mesh(C, std::initializer_list<MeshAxis>) -> Mesh<C>;

}  // namespace weir::inline v1
