#include "weir/exec/update_arguments.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "weir/tensor/memory_space.hpp"

namespace {

using View = weir::TensorView<float, weir::DeviceSpace>;
using ConstView = weir::TensorView<float const, weir::DeviceSpace>;

/// Arrays that are apart from each other; nothing reads them.
struct Arrays {
  std::vector<float> memory = std::vector<float>(50);
  View weights = part(0), out = part(10), gradient = part(20), first = part(30), second = part(40);
  weir::OptimizerState state;

  View part(std::size_t begin, std::size_t size = 10) { return {memory.data() + begin, size}; }
  void sgd() const {
    weir::detail::check_sgd_update<float, weir::DeviceSpace>(weights, out, gradient, first, &state);
  }
  void adamw() const {
    weir::detail::check_adamw_update<float, weir::DeviceSpace>(weights, out, gradient, first, second, &state);
  }
};

}  // namespace

TEST_CASE("updates in place, from one memory to another and without momentum are allowed") {
  Arrays arrays;
  CHECK_NOTHROW(arrays.sgd());
  CHECK_NOTHROW(arrays.adamw());
  arrays.out = arrays.weights;
  CHECK_NOTHROW(arrays.sgd());
  CHECK_NOTHROW(arrays.adamw());
  arrays.first = {};
  CHECK_NOTHROW(arrays.sgd());
}

TEST_CASE("what is too short, or shares memory, is refused by name") {
  Arrays arrays;
  arrays.first = arrays.part(30, 9);
  CHECK_THROWS_WITH_AS(arrays.sgd(),
                       "sgd_update: velocity has 9 elements and weights 10, they must have equally many",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(
      arrays.adamw(), "adamw_update: first_moment has 9 elements and weights 10, they must have equally many",
      weir::ContractViolation);
  Arrays other;
  other.out = other.part(5);
  CHECK_THROWS_WITH_AS(other.sgd(),
                       "sgd_update: out overlaps weights, they must be the same elements or apart",
                       weir::ContractViolation);
  other.out = other.weights;
  other.second = other.first;
  CHECK_THROWS_WITH_AS(other.adamw(), "adamw_update: first_moment overlaps second_moment, they must be apart",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::detail::check_sgd_update<float, weir::DeviceSpace>(
                           other.weights, other.out, other.gradient, other.first, nullptr)),
                       "sgd_update: state must not be null", weir::ContractViolation);
}
