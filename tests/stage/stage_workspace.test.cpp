#include "weir/stage/stage_workspace.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace {

struct Silent {};
struct Dense {
  template <class Real>
  std::size_t workspace_bytes(weir::BucketPlan const& plan, weir::WorkLayout const& layout) const {
    return layout.workers * plan.elements() * sizeof(Real);
  }
};
struct Sparse {
  template <class Real>
  std::size_t workspace_bytes(weir::BucketPlan const&, weir::WorkLayout const&,
                              std::vector<std::size_t> const& sparse_capacity) const {
    return sparse_capacity.front() * sizeof(Real);
  }
};

}  // namespace

TEST_CASE("a stage is asked in the way in which it answers, and one that does not takes nothing") {
  auto const plan = weir::BucketPlan::by_bytes({40});
  weir::WorkLayout const layout{.workers = 3};
  std::vector<std::size_t> const capacity = {5};
  auto const bytes = [&](auto const& stage) {
    return weir::detail::stage_workspace_bytes<float>(stage, plan, layout, capacity);
  };
  CHECK(bytes(Silent{}) == 0);
  CHECK(bytes(Dense{}) == 120);
  CHECK(bytes(Sparse{}) == 20);
}
