#include "weir/core/host_device.hpp"

#include <doctest/doctest.h>

WEIR_HOST_DEVICE constexpr int twice(int value) {
  return 2 * value;
}

TEST_CASE("a function marked for host and device is an ordinary function on the host") {
  static_assert(twice(21) == 42);
  int (*const pointer)(int) = &twice;
  CHECK(pointer(3) == 6);
}
