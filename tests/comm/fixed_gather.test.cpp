#include "weir/comm/fixed_gather.hpp"

#include "compress/collective/sparse_ranks.hpp"
#include "weir/comm/self.hpp"

static_assert(weir::SparseCollective<weir::FixedGather, float, weir::HostExecutor, weir::ThreadCommunicator>);
static_assert(weir::SparseCollective<weir::FixedGather, double, weir::HostExecutor, weir::SelfCommunicator>);

TEST_CASE("blocks of a fixed capacity give the bits of a dense sum in rank order, for 1 to 8 ranks") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    auto const of_rank = selections<float>(ranks, 500, 0.2, 4);
    for (auto const& rank : sum_on_threads(of_rank, weir::FixedGather{}, {.capacity = 333, .repetitions = 2}))
      CHECK(same_bits(rank.sum, sum_of_selected(of_rank)));
    auto const wide = selections<double>(ranks, 50, 0.2, 4);
    CHECK(
        same_bits(sum_on_threads(wide, weir::FixedGather{}, {.capacity = 50})[0].sum, sum_of_selected(wide)));
  }
}

TEST_CASE("values that are exact in 16 bits travel in 16 bits, and a packed block as it is") {
  for (auto const precision :
       {weir::ElementType::float16, weir::ElementType::bfloat16, weir::ElementType::float32}) {
    on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
      weir::HostExecutor const executor;
      using Blocks = weir::PairBlocks<float, weir::HostSpace>;
      std::vector<std::uint64_t> memory(Blocks::words(5));
      Blocks const block(weir::view(memory), 5, 1);
      std::uint32_t const own = static_cast<std::uint32_t>(communicator.rank());
      *block.header(0) = {2, 2};
      block.indices(0)[0] = own;
      block.indices(0)[1] = 3;
      block.values(0)[0] = 0.25F;
      block.values(0)[1] = static_cast<float>(own) - 4.5F;
      std::vector<float> out(4, 99.0F);
      weir::SparseSum<float, weir::HostSpace> sum{block.indices(0), block.values(0), &memory[0]};
      sum.block = weir::view(memory);
      sum.precision = precision;
      sum.out = weir::view(out);
      auto bound =
          weir::FixedGather{}.on(weir::SparseContext<float, weir::HostExecutor, weir::ThreadCommunicator>{
              executor, communicator, 4, 0});
      executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
      executor.synchronize();
      CHECK(out == std::vector<float>{0.25F, 0.25F, 0.25F, -10.5F});
    });
  }
}

TEST_CASE("the workspace is a block for each rank, and never too small to widen one of 16-bit values") {
  CHECK(weir::FixedGather::workspace_bytes<float>({4, 100, 10}) == 4 * (16 + 40 + 40));
  CHECK(weir::FixedGather::workspace_bytes<float>({1, 100, 10}) == 16 + 40 + 40);
  CHECK(weir::FixedGather::workspace_bytes<float>({2, 100, 1}) == 2 * (16 + 8 + 8) + 8);
  CHECK(weir::FixedGather::workspace_bytes<double>({2, 100, 10}) == 2 * (16 + 40 + 80));
}
