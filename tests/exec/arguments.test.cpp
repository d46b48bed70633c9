#include "weir/exec/arguments.hpp"

#include <doctest/doctest.h>

#include <cstddef>

namespace {

weir::detail::Arguments const arguments("scatter");

template <class Element>
weir::TensorView<Element, weir::HostSpace> part(Element* data, std::size_t size) {
  return {data, size};
}

}  // namespace

TEST_CASE("a refusal names the verb, the argument and what would be right") {
  CHECK_NOTHROW(arguments.same_size("values", 3, "indices", 3));
  CHECK_THROWS_WITH_AS(arguments.same_size("values", 3, "indices", 4),
                       "scatter: values has 3 elements and indices 4, they must have equally many",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(arguments.not_null("state", nullptr), "scatter: state must not be null",
                       weir::ContractViolation);
}

TEST_CASE("memory in common is found, to the byte") {
  float memory[20] = {};
  auto const overlap = [](auto one, auto other) {
    bool thrown = false;
    try {
      arguments.apart("one", one, "other", other);
    } catch (weir::ContractViolation const&) {
      thrown = true;
    }
    return thrown;
  };
  CHECK(overlap(part(memory, 10), part(memory, 10)));
  CHECK(overlap(part(memory, 10), part(memory + 9, 1)));
  CHECK(overlap(part(memory + 9, 1), part(memory, 10)));
  CHECK(overlap(part(memory, 20), part(memory + 5, 5)));
  CHECK(!overlap(part(memory, 10), part(memory + 10, 10)));
  CHECK(!overlap(part(memory + 10, 10), part(memory, 10)));
  CHECK(!overlap(part(memory, 10), part(memory + 5, 0)));
  CHECK(!overlap(part<float>(nullptr, 0), part(memory, 10)));
  CHECK(overlap(part(reinterpret_cast<char*>(memory) + 39, 1), part(memory, 10)));
  CHECK(!overlap(part(reinterpret_cast<char*>(memory) + 40, 1), part(memory, 10)));
}

TEST_CASE("the very same elements are allowed where it is said, but not as another type") {
  float memory[20] = {};
  CHECK_NOTHROW(arguments.same_or_apart("out", part(memory, 10), "in", part<float const>(memory, 10)));
  CHECK_NOTHROW(arguments.same_or_apart("out", part(memory, 10), "in", part(memory + 10, 10)));
  CHECK_THROWS_AS(arguments.same_or_apart("out", part(memory, 10), "in", part(memory + 1, 10)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(
      arguments.same_or_apart("out", part(memory, 10), "in", part(reinterpret_cast<int*>(memory), 10)),
      weir::ContractViolation);
}
