#include "weir/compress/collective/automatic_two_level.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "compress/collective/sparse_ranks.hpp"
#include "weir/comm/mesh.hpp"

namespace {

/// The policy that tells whether the sum was taken over nodes.
template <class Policy>
struct Observed {
  Policy const& policy;
  bool& is_over_nodes;

  template <class Context>
  auto on(Context const& context) const {
    using Bound = decltype(policy.on(context));
    struct Wrapper {
      Bound bound;
      bool* is_over_nodes;
      void operator()(weir::HostExecutor const& point, weir::SparseSum<float, weir::HostSpace> const& sum) {
        bound(point, sum);
        *is_over_nodes = bound.is_over_nodes();
      }
    };
    return Wrapper{policy.on(context), &is_over_nodes};
  }
};

/// Whether two nodes of two ranks sum 900 elements over the nodes. What they sum is right in both cases.
bool takes_nodes(double density, weir::AutomaticOptions const& options, weir::Link const& inside) {
  auto const of_rank = selections<float>(4, 900, density, 3, true);
  auto const expected = sum_of_selected(of_rank);
  std::atomic<std::size_t> over_nodes = 0;
  std::vector<Outcome<float>> outcomes(4);
  on_ranks(4, [&](weir::ThreadCommunicator const& world) {
    weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
    weir::AutomaticTwoLevel const policy{
        weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}}, options, inside};
    bool is_over_nodes = false;
    outcomes[world.rank()] =
        sum_on(world, of_rank[world.rank()], Observed<decltype(policy)>{policy, is_over_nodes});
    over_nodes += is_over_nodes ? 1 : 0;
  });
  CHECK((over_nodes == 0 || over_nodes == 4));
  if (over_nodes == 0) {
    check_conserved(of_rank, outcomes);
  } else {
    for (auto const& rank : outcomes) CHECK(rank.sum == expected);
  }
  return over_nodes == 4;
}

constexpr weir::Link slow{0.0, 1e-9};
constexpr weir::Link fast{0.0, 1e-14};

}  // namespace

TEST_CASE("a sum is taken over the nodes where that is cheapest, by all ranks or by none") {
  weir::AutomaticOptions const options{.link = slow, .verifies = true};
  CHECK(takes_nodes(0.1, options, fast));
  CHECK_FALSE(takes_nodes(0.1, options, slow));
  // What is selected costs as much as all of it, so all of it is sent, or summed in the nodes first.
  CHECK(takes_nodes(0.3, options, fast));
  CHECK_FALSE(takes_nodes(0.3, options, slow));
}

TEST_CASE("where compression costs more than it saves all ranks send everything") {
  CHECK_FALSE(takes_nodes(0.1, {.link = slow, .seconds_per_element = 1.0}, fast));
}

TEST_CASE("ranks that think otherwise of their nodes are found out where that is verified") {
  auto const of_rank = selections<float>(4, 900, 0.1, 3);
  std::atomic<std::size_t> found_out = 0;
  on_ranks(4, [&](weir::ThreadCommunicator const& world) {
    weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
    weir::AutomaticTwoLevel const policy{
        weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}},
        {.link = slow, .verifies = true},
        world.rank() == 2 ? slow : fast};
    try {
      sum_on(world, of_rank[world.rank()], policy);
    } catch (weir::FingerprintMismatch const& error) {
      CHECK(std::string(error.what()).find("two-level") != std::string::npos);
      ++found_out;
    }
  });
  CHECK(found_out == 4);
}

TEST_CASE("it takes the memory of both") {
  weir::ThreadCommunicator const alone = weir::ThreadCommunicator::group(1)[0];
  weir::TwoLevel const nodes{alone, alone, weir::SplitAllGather{}};
  weir::SparseLimits const limits{1, 1000, 100};
  CHECK(weir::AutomaticTwoLevel{nodes, {}, fast}.workspace_bytes<float>(limits) ==
        weir::Automatic{}.workspace_bytes<float>(limits) + nodes.workspace_bytes<float>(limits));
}
