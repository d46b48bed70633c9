#include "weir/tensor/view.hpp"

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using weir::DeviceSpace;
using weir::HostSpace;
using weir::TensorView;

template <class From, class To>
concept ConvertsTo = std::convertible_to<From, To>;

static_assert(std::is_trivially_copyable_v<TensorView<float, HostSpace>>);
static_assert(ConvertsTo<TensorView<float, HostSpace>, TensorView<float const, HostSpace>>);
static_assert(!ConvertsTo<TensorView<float const, HostSpace>, TensorView<float, HostSpace>>);
static_assert(!ConvertsTo<TensorView<float, HostSpace>, TensorView<float, DeviceSpace>>);
static_assert(!ConvertsTo<TensorView<float, HostSpace>, TensorView<double, HostSpace>>);

struct Base {
  int value = 0;
};
struct Derived : Base {
  int more = 0;
};
static_assert(!ConvertsTo<TensorView<Derived, HostSpace>, TensorView<Base, HostSpace>>, "the strides differ");

}  // namespace

TEST_CASE("the containers of the standard library are host memory, seen with their constness") {
  std::vector<float> vector{1, 2, 3};
  std::array<double, 2> array{4, 5};
  auto const of_vector = weir::view(vector);
  auto const of_const = weir::view(std::as_const(vector));
  auto const of_array = weir::view(array);
  auto const of_span = weir::view(std::span<float>(vector));
  static_assert(std::is_same_v<decltype(of_vector), TensorView<float, HostSpace> const>);
  static_assert(std::is_same_v<decltype(of_const), TensorView<float const, HostSpace> const>);
  static_assert(std::is_same_v<decltype(of_array), TensorView<double, HostSpace> const>);
  CHECK(of_vector.data() == vector.data());
  CHECK(of_vector.size() == 3);
  CHECK(of_const.data() == vector.data());
  CHECK(of_array.size() == 2);
  CHECK(of_span.data() == vector.data());
}

TEST_CASE("a raw pointer is host memory unless it is said otherwise") {
  float values[4] = {};
  static_assert(std::is_same_v<decltype(weir::view(values, 4)), TensorView<float, HostSpace>>);
  static_assert(std::is_same_v<decltype(weir::view<DeviceSpace>(values, 4)), TensorView<float, DeviceSpace>>);
  auto const view = weir::view(values, 3);
  CHECK(view.data() == values);
  CHECK(view.size() == 3);
}

TEST_CASE("a view gives its elements, its parts, and nothing when it is empty") {
  std::vector<int> values{1, 2, 3, 4, 5};
  auto const view = weir::view(values);
  view[1] = 20;
  CHECK(values[1] == 20);
  auto const part = view.part(1, 3);
  CHECK(part.size() == 3);
  CHECK(part[0] == 20);
  int sum = 0;
  for (int value : part) sum += value;
  CHECK(sum == 27);
  TensorView<int, HostSpace> const nothing;
  CHECK(nothing.empty());
  CHECK(nothing.data() == nullptr);
  CHECK(!view.empty());
}
