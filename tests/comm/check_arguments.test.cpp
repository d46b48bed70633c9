#include "weir/comm/check_arguments.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using weir::ContractViolation;
using weir::detail::PartBoundaries;

TEST_CASE("overlap is allowed at the own place only") {
  std::array<float, 12> data{};
  auto const check = [&](std::size_t own, float const* part, std::size_t count) {
    weir::detail::check_overlap("all_gather", data.data() + 3, 6, own, part, count);
  };
  CHECK_NOTHROW(check(2, data.data() + 5, 2));
  CHECK_NOTHROW(check(2, data.data(), 3));
  CHECK_NOTHROW(check(2, data.data() + 9, 3));
  CHECK_NOTHROW(check(2, data.data() + 4, 0));
  CHECK_THROWS_AS(check(2, data.data() + 4, 2), ContractViolation);
  CHECK_THROWS_AS(check(2, data.data() + 1, 3), ContractViolation);
  CHECK_THROWS_AS(check(2, data.data() + 8, 2), ContractViolation);
}

TEST_CASE("boundaries of parts grow from 0 to the count, one more than ranks") {
  using List = std::vector<std::size_t>;
  for (List const& wrong : {List{0, 4}, List{1, 2, 4}, List{0, 2, 3}, List{0, 5, 4}, List{0, 1, 2, 4}}) {
    CHECK_THROWS_WITH_AS(PartBoundaries(wrong, 4, 2),
                         "reduce_scatter: 2 ranks need 3 boundaries that grow from 0 to 4",
                         ContractViolation);
  }
  List const given{0, 4, 4};
  PartBoundaries const parts(given, 4, 2);
  CHECK(parts.size(0) == 4);
  CHECK(parts.size(1) == 0);
  CHECK(parts.hash() != 0);
  PartBoundaries const even({}, 5, 2);
  CHECK(even.end(0) == 2);
  CHECK(even.size(1) == 3);
  CHECK(even.hash() == 0);
}

TEST_CASE("operators and types, roots, peers and sizes are checked by name") {
  CHECK_THROWS_WITH_AS(weir::detail::check_op<double>(weir::ReduceOp::bit_or),
                       "bit_or combines integers, not float64", ContractViolation);
  CHECK_NOTHROW(weir::detail::check_op<std::int32_t>(weir::ReduceOp::bit_or));
  CHECK_THROWS_WITH_AS(weir::detail::check_root(3, 3), "broadcast: root 3 is not one of the 3 ranks",
                       ContractViolation);
  float const block[2]{};
  float const all[6]{};
  CHECK_NOTHROW(weir::detail::check_gather<float>(0, 3, block, 2, all, 6));
  CHECK_THROWS_WITH_AS(weir::detail::check_gather<float>(0, 2, block, 2, all, 6),
                       "all_gather: 2 blocks of 2 elements do not fill 6 elements", ContractViolation);
}
