#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "weir/core/error.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {
namespace detail {

/// The checks of one call of a verb; they throw `ContractViolation` with its name.
class Arguments {
 public:
  explicit Arguments(char const* verb) : verb_(verb) {}

  /// `name` is "the gradient has" or the like.
  void same_size(char const* name, std::size_t size, char const* reference_name,
                 std::size_t reference) const {
    if (size == reference) return;
    refuse(std::string(name) + " has " + std::to_string(size) + " elements and " + reference_name + " " +
           std::to_string(reference) + ", they must have equally many");
  }

  void not_null(char const* name, void const* pointer) const {
    if (pointer == nullptr) refuse(std::string(name) + " must not be null");
  }

  /// Refuses memory in common.
  template <class One, class Other, class Space>
  void apart(char const* name, TensorView<One, Space> one, char const* other_name,
             TensorView<Other, Space> other) const {
    if (overlap(one, other)) refuse(std::string(name) + " overlaps " + other_name + ", they must be apart");
  }

  /// Refuses memory in common but for the very same elements.
  template <class One, class Other, class Space>
  void same_or_apart(char const* name, TensorView<One, Space> one, char const* other_name,
                     TensorView<Other, Space> other) const {
    if constexpr (std::is_same_v<std::remove_const_t<One>, std::remove_const_t<Other>>) {
      if (one.data() == other.data()) return;
    }
    if (overlap(one, other)) {
      refuse(std::string(name) + " overlaps " + other_name + ", they must be the same elements or apart");
    }
  }

  [[noreturn]] void refuse(std::string const& why) const { throw ContractViolation(verb_ + (": " + why)); }

 private:
  template <class One, class Other, class Space>
  static bool overlap(TensorView<One, Space> one, TensorView<Other, Space> other) {
    auto const address = [](auto const* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
    if (one.empty() || other.empty()) return false;
    return address(one.data()) < address(other.data() + other.size()) &&
           address(other.data()) < address(one.data() + one.size());
  }

  char const* verb_;
};

}  // namespace detail
}  // namespace weir::inline v1
