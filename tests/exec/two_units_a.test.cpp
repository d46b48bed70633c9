// A unit of its own: the executor first, then what asks about it.
#include "weir/host/executor.hpp"
//
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "exec/two_units.hpp"

namespace {
struct UnitA {};
}  // namespace

TEST_CASE("two units that instantiate on one executor get the same answers") {
  auto const here = Beliefs<weir::HostExecutor, UnitA>::all();
  CHECK(here == beliefs_of_the_other_unit());
  CHECK(std::count(here.begin(), here.end(), true) == static_cast<std::ptrdiff_t>(here.size()));
}

TEST_CASE("two units that bind one recipe on one executor get the same weights") {
  weir::HostExecutor const executor;
  CHECK(train_two_steps(executor) == train_in_the_other_unit(executor));
}
