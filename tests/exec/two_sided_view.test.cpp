#include "weir/exec/two_sided_view.hpp"

#include <doctest/doctest.h>

#include <type_traits>

#include "weir/tensor/memory_space.hpp"

using View = weir::TwoSidedView<float, weir::HostSpace>;
static_assert(std::is_trivially_copyable_v<View>);

TEST_CASE("a word says which side is valid") {
  float first[3] = {};
  float second[3] = {};
  std::uint32_t side = 0;
  View const view(first, second, 3, &side);
  CHECK(view.current() == first);
  CHECK(view.other() == second);
  side = 1;
  CHECK(view.current() == second);
  CHECK(view.other() == first);
  CHECK(view.side(0) == first);
  CHECK(view.side(1) == second);
  CHECK(view.side_word() == &side);
  CHECK(view.size() == 3);
  CHECK(!view.empty());
  CHECK(View().empty());
}
