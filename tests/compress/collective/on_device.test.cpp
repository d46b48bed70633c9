// The policies that run on a device, which they give work to and whose memory they do not look into.
#include <doctest/doctest.h>

#include <algorithm>

#include "compress/collective/sparse_ranks.hpp"
#include "support/device_like.hpp"
#include "weir/compress/collective/automatic.hpp"

static_assert(weir::Executor<DeviceLikeExecutor>);
static_assert(weir::SparseCollective<weir::Automatic, float, DeviceLikeExecutor, DeviceLikeCommunicator>);
static_assert(
    !weir::SparseCollective<weir::LeaderIndices, float, DeviceLikeExecutor, DeviceLikeCommunicator>);

namespace {

struct DeviceOutcome {
  std::vector<Outcome<float>> of_rank;
  int waits = 0;  // of each rank
};

template <class Policy>
DeviceOutcome sum_on_devices(std::vector<Selected<float>> const& of_rank, Policy const& policy,
                             bool shares_indices = false, std::size_t capacity = 400,
                             weir::ElementType precision = weir::ElementType::float32,
                             bool has_residual = true) {
  DeviceOutcome outcome{std::vector<Outcome<float>>(of_rank.size())};
  on_ranks(of_rank.size(), [&](weir::ThreadCommunicator const& threads) {
    DeviceLikeExecutor const executor;
    DeviceLikeCommunicator const communicator(threads);
    auto const& mine = of_rank[threads.rank()];
    auto& own = outcome.of_rank[threads.rank()];
    std::size_t const elements = mine.residual.size();
    auto indices = mine.indices;
    auto values = mine.values;
    indices.resize(capacity);
    values.resize(capacity, 1e30F);
    std::uint64_t const counts[2] = {mine.indices.size(), mine.indices.size()};
    std::uint32_t const side = 1;
    own.sum = has_residual ? std::vector<float>(elements, 77.0F) : mine.whole();
    own.residual = mine.residual;
    weir::SparseSum<float, weir::DeviceSpace> sum{
        {indices.data(), capacity}, {values.data(), capacity}, counts};
    if (mine.status) sum.status = &*mine.status;
    sum.shares_indices = shares_indices;
    sum.precision = precision;
    sum.out = {own.sum.data(), elements};
    if (has_residual) sum.residual = {nullptr, own.residual.data(), elements, &side};
    auto bound = policy.on(weir::SparseContext<float, DeviceLikeExecutor, DeviceLikeCommunicator>{
        executor, communicator, elements, capacity});
    bound(executor, sum);
    if (threads.rank() == 0) outcome.waits = executor.waits();
  });
  return outcome;
}

void check_sum(DeviceOutcome const& outcome, std::vector<Selected<float>> const& of_rank, int waits) {
  for (auto const& rank : outcome.of_rank) CHECK(same_bits(rank.sum, sum_of_selected(of_rank)));
  CHECK(outcome.waits == waits);
}

constexpr weir::Link no_latency{0.0, 1e-9};

}  // namespace

TEST_CASE(
    "the gather of capacities only enqueues, that of counts waits once, both with the bits of rank order") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    auto const of_rank = selections<float>(ranks, 500, 0.2, 4);
    check_sum(sum_on_devices(of_rank, weir::FixedGather{}), of_rank, 0);
    check_sum(sum_on_devices(of_rank, weir::AllGatherPairs{}), of_rank, 1);
  }
  auto const nothing = selections<float>(2, 500, 0.0, 4);
  check_sum(sum_on_devices(nothing, weir::AllGatherPairs{}), nothing, 1);
}

TEST_CASE("values that are exact in 16 bits are widened in the memory that was taken") {
  for (std::size_t ranks = 1; ranks <= 3; ++ranks) {
    for (auto const precision : {weir::ElementType::float16, weir::ElementType::bfloat16}) {
      auto const of_rank = selections<float>(ranks, 60, 0.2, 4, true);
      std::size_t capacity = 0;
      for (auto const& rank : of_rank) capacity = std::max(capacity, rank.indices.size());
      check_sum(sum_on_devices(of_rank, weir::FixedGather{}, false, capacity, precision), of_rank, 0);
    }
  }
}

TEST_CASE("shared indices only enqueue, and sum what is meant of the capacity") {
  auto of_rank = selections<float>(3, 500, 0.2, 4);
  for (auto& rank : of_rank) {
    rank.indices = of_rank[0].indices;
    rank.values.resize(rank.indices.size(), 0.5F);
  }
  check_sum(sum_on_devices(of_rank, weir::SharedIndices{}, true), of_rank, 0);
  CHECK_THROWS_AS(sum_on_devices(of_rank, weir::SharedIndices{}), weir::ContractViolation);
}

TEST_CASE("sums by a method of the host have its bits, in the sum and in what stays") {
  auto const check = [](auto const& policy, std::size_t ranks, double density) {
    auto const of_rank = selections<float>(ranks, 500, density, 4, true);
    auto const outcome = sum_on_devices(of_rank, policy);
    auto const expected = sum_on_threads(of_rank, policy);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      CHECK(same_bits(outcome.of_rank[rank].sum, expected[rank].sum));
      CHECK(same_bits(outcome.of_rank[rank].residual, expected[rank].residual));
    }
    check_conserved(of_rank, outcome.of_rank);
  };
  for (std::size_t ranks = 1; ranks <= 5; ++ranks) {
    for (double const density : {0.0, 0.05, 0.6}) {
      CAPTURE(ranks);
      CAPTURE(density);
      check(weir::RecursiveDoubling{}, ranks, density);
      check(weir::SplitAllGather{}, ranks, density);
      check(weir::GlobalTopK{}, ranks, density);
      check(weir::BalancedTopK{}, ranks, density);
    }
  }
}

TEST_CASE("a dense sum takes the residual along, and only enqueues") {
  auto const of_rank = selections<float>(3, 500, 0.2, 4, true);
  auto const outcome = sum_on_devices(of_rank, weir::DenseSum{});
  check_conserved(of_rank, outcome.of_rank);
  CHECK(outcome.of_rank[1].residual == std::vector<float>(500));
  CHECK(outcome.waits == 0);
}

TEST_CASE(
    "of a rank that was skipped a dense sum takes nothing, be it pairs of zeros or what is not finite") {
  for (bool const has_residual : {true, false}) {
    CAPTURE(has_residual);
    auto const [of_rank, expected] = ranks_with_status(has_residual);
    auto const outcome =
        sum_on_devices(of_rank, weir::DenseSum{}, false, 400, weir::ElementType::float32, has_residual);
    for (auto const& rank : outcome.of_rank) CHECK(same_bits(rank.sum, expected));
    if (has_residual) check_residuals_of_status(of_rank, outcome.of_rank);
    CHECK(outcome.waits == 0);
  }
}

TEST_CASE("chosen from the capacities it only enqueues, chosen each step it waits once") {
  auto const of_rank = selections<float>(2, 900, 0.05, 4, true);
  check_sum(sum_on_devices(of_rank, weir::Automatic{{.link = no_latency}}, false, 250), of_rank, 0);
  check_sum(
      sum_on_devices(of_rank, weir::Automatic{{.link = no_latency, .choice = weir::ChoiceTime::each_step}}),
      of_rank, 1);
  auto const dense = sum_on_devices(of_rank, weir::Automatic{{.link = no_latency}}, false, 900);
  check_conserved(of_rank, dense.of_rank);
  CHECK(dense.of_rank[0].residual == std::vector<float>(900));
}
