#include "weir/exec/take_part.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

TEST_CASE("a rank that has selected nothing sends nothing of what a leader has chosen") {
  std::uint64_t const chosen = 7;
  for (std::uint64_t const selected : {0u, 1u, 9u}) {
    std::uint64_t sent = 3;
    weir::TakePart{&selected, &chosen, &sent}();
    CHECK(sent == (selected == 0 ? 0 : 7));
  }
}
