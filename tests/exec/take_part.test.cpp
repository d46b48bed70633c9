#include "weir/exec/take_part.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

using weir::SparsifyStatus;

TEST_CASE("a rank takes part by how its selection ended, or if nobody has said that, if it has selected") {
  std::uint64_t const chosen = 7;
  auto const check = [&](weir::RankPart const& part, bool expected) {
    CHECK(part.is_taken() == expected);
    std::uint64_t sent = 3;
    weir::TakePart{part, &chosen, &sent}();
    CHECK(sent == (expected ? 7 : 0));
    std::uint64_t conditions[] = {9, 9};
    weir::TellPart{part, conditions}();
    CHECK(conditions[0] == (expected ? 1 : 0));
    CHECK(conditions[1] == (expected ? 0 : 1));
  };
  for (std::uint64_t const selected : {0u, 1u, 9u}) {
    check({nullptr, &selected}, selected != 0);
    for (auto const status : {SparsifyStatus::selected, SparsifyStatus::skipped, SparsifyStatus::failed})
      check({&status, &selected}, status == SparsifyStatus::selected);
  }
}
