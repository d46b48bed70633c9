#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "pipeline/staged_model.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"

namespace staged {

/// Which weights of a whole network a process registers, in order: those of the stages of its workers, and a
/// tied parameter once, with the weights of the first stage that has it anywhere.
class RegisteredWeights {
 public:
  /// `is_here`, by worker; empty: all are.
  RegisteredWeights(weir::TableView const& table, std::vector<std::size_t> const& layers,
                    std::vector<weir::TiedParameter> const& tied,
                    std::vector<std::uint8_t> const& is_here = {}) {
    weir::detail::LaneMap const lanes(table, is_here);
    auto const has = [&](std::size_t stage) {
      for (std::uint32_t direction = 0; direction < lanes.directions(); ++direction) {
        if (lanes.is_here(lanes.lane(direction, static_cast<std::uint32_t>(stage)))) return true;
      }
      return false;
    };
    std::vector<std::size_t> first_layers;
    std::size_t first = 0;
    for (std::size_t const count : layers) {
      first_layers.push_back(first);
      first += count;
    }
    for (std::size_t stage = 0; stage < layers.size(); ++stage) {
      for (std::size_t p = 0; has(stage) && p < 2 * layers[stage]; ++p) {
        weir::StageParameter const source = source_of({stage, p}, tied, has);
        if (source.stage == not_registered) continue;
        std::size_t const layer = first_layers[source.stage] + source.parameter / 2;
        bool const is_bias = source.parameter % 2 != 0;
        pieces_.push_back(
            {layer * layer_parameters + (is_bias ? width * width : 0), is_bias ? width : width * width});
      }
    }
  }

  template <class Real>
  std::vector<Real> gather(std::vector<Real> const& whole) const {
    std::vector<Real> weights;
    for (auto const& [begin, size] : pieces_) {
      for (std::size_t i = 0; i < size; ++i) weights.push_back(whole[begin + i]);
    }
    return weights;
  }
  template <class Real>
  void scatter(std::vector<Real> const& weights, std::vector<Real>& whole) const {
    std::size_t next = 0;
    for (auto const& [begin, size] : pieces_) {
      for (std::size_t i = 0; i < size; ++i) whole[begin + i] = weights[next++];
    }
  }

 private:
  static constexpr std::size_t not_registered = SIZE_MAX;

  struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  /// Of which stage the weights of a parameter are, if it is registered there.
  template <class Has>
  static weir::StageParameter source_of(weir::StageParameter place,
                                        std::vector<weir::TiedParameter> const& tied, Has const& has) {
    for (weir::TiedParameter const& members : tied) {
      bool is_first_here = true;
      for (weir::StageParameter const& member : members) {
        if (member.stage == place.stage && member.parameter == place.parameter)
          return is_first_here ? members.front() : weir::StageParameter{not_registered, 0};
        is_first_here = is_first_here && !has(member.stage);
      }
    }
    return place;
  }

  std::vector<Piece> pieces_;
};

}  // namespace staged
