// What the policies of a sparse all-reduce take: all of it when they are bound, and as much as they say
// beforehand, however much is selected.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "compress/collective/any_policy.hpp"
#include "fault/counting_resource.hpp"
#include "fault/sanitizers.hpp"
#include "support/ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/automatic_two_level.hpp"

namespace {

using Communicator = weir::ThreadCommunicator;
using Policy = AnyPolicy<float, Communicator>;
using Method = weir::SparseMethod;

/// Which slots a rank selects.
enum class Layout { spread, first, same };

/// `count` slots of `elements`, ascending, and values that are not 0.
std::vector<std::uint32_t> slots(Layout layout, std::size_t rank, std::size_t ranks, std::size_t elements,
                                 std::size_t count) {
  std::vector<std::uint32_t> slots(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t slot = i;  // `same`: all ranks select the first slots
    if (layout == Layout::spread) slot = i * (elements / count);
    if (layout == Layout::first) slot = ranks * count <= elements ? ranks * i + rank : i;
    slots[i] = static_cast<std::uint32_t>(slot);
  }
  if (layout == Layout::spread && count * ranks <= elements)
    for (std::uint32_t& slot : slots) slot += static_cast<std::uint32_t>(rank);
  return slots;
}

/// Sums of ever more pairs, up to the capacity.
void check(Communicator const& communicator, Policy const& policy, std::size_t elements,
           std::size_t capacity) {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  std::size_t const ranks = communicator.size();
  std::size_t const before = memory.bytes();
  auto bound = policy.on({executor, communicator, elements, capacity});
  std::size_t const taken = memory.bytes() - before;
  CHECK(taken == policy.workspace_bytes<float>({ranks, elements, capacity}));
  std::size_t const calls = memory.calls();
  std::vector<float> out(elements), residual(elements);
  std::uint32_t const side = 0;
  for (auto const layout : {Layout::spread, Layout::first, Layout::same}) {
    for (std::size_t turn = 1; turn <= 4; ++turn) {
      std::size_t const count = capacity * turn / 4;
      auto indices = slots(layout, communicator.rank(), ranks, elements, count);
      std::vector<float> values(capacity, 1.0f + static_cast<float>(communicator.rank()));
      indices.resize(capacity);
      std::uint64_t const counts[2] = {count, count};
      weir::SparseSum<float, weir::HostSpace> sum{weir::view(indices), weir::view(values), counts};
      sum.shares_indices = layout == Layout::same;
      sum.out = weir::view(out);
      sum.residual = {residual.data(), residual.data(), elements, &side};
      executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
      executor.synchronize();
    }
  }
  CHECK(memory.calls() == calls);
}

}  // namespace

TEST_CASE("every policy takes what it says when it is bound, and nothing in sums of any number of pairs") {
  weir::Link const no_latency{0.0, 1e-9};
  auto const only = [&](Method method) {
    return Policy(weir::Automatic({.link = no_latency, .allowed = weir::SparseMethodSet::of(method)}));
  };
  std::pair<std::string, Policy> const policies[] = {
      {"fixed gather", weir::FixedGather{}},
      {"all-gather", weir::AllGatherPairs{}},
      {"recursive doubling", weir::RecursiveDoubling{}},
      {"split", weir::SplitAllGather{}},
      {"global top-k", weir::GlobalTopK{}},
      {"balanced", weir::BalancedTopK{}},
      {"leader's indices", weir::LeaderIndices{}},
      {"dense", weir::DenseSum{}},
      {"automatic", weir::Automatic{}},
      {"automatic, balanced", only(Method::balanced)},
      {"automatic, leader's indices", only(Method::leader_indices)}};
  for (std::size_t const ranks : {1u, 2u, 3u, 6u}) {
    on_ranks(ranks, [&](Communicator const& communicator) {
      for (auto const& named : policies) {
        CAPTURE(named.first);
        CAPTURE(communicator.size());
        for (std::size_t const capacity : {1u, 7u, 60u, 500u, 1003u}) {
          if (UNDER_THREAD_SANITIZER && capacity != 60) continue;  // which is slow
          check(communicator, named.second, 1003, capacity);
        }
      }
      if (communicator.size() != 6) return;
      weir::Mesh const mesh(communicator, {{"node", 2}, {"place", 3}});
      weir::TwoLevel const split{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}};
      weir::Link const at_once{0.0, 0.0};
      for (std::size_t const capacity : {7u, 500u}) {
        check(communicator, split, 1003, capacity);
        for (weir::Link const& inside : {no_latency, at_once})
          check(communicator, weir::AutomaticTwoLevel{split, {.link = no_latency}, inside}, 1003, capacity);
        check(communicator, weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), weir::BalancedTopK{}}, 1003,
              capacity);
      }
    });
  }
}

TEST_CASE("shared indices take the values of a capacity") {
  on_ranks(3, [](Communicator const& communicator) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    std::size_t const before = memory.bytes();
    auto const bound = Policy(weir::SharedIndices{}).on({executor, communicator, 100, 10});
    CHECK(memory.bytes() - before == weir::SharedIndices::workspace_bytes<float>({3, 100, 10}));
    CHECK(memory.bytes() - before == 3 * 8 + 10 * 4);
  });
}
