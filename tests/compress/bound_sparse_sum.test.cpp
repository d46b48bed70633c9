#include "weir/compress/bound_sparse_sum.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "weir/compress/collective/dense_sum.hpp"

namespace {

/// Keeps what it is called with.
struct Probe {
  using Room = weir::detail::DenseSumRoom;

  template <class Context>
  explicit Probe(Context const&) {}

  template <class Exchange>
  void operator()(Exchange&, weir::HostExecutor const&, weir::SparseSum<float, weir::HostSpace> const& sum,
                  weir::detail::PairCounts const& counts) {
    auto const mine = weir::detail::pairs_of(sum);
    sum.out[0] = static_cast<float>(counts.largest());
    sum.out[1] = static_cast<float>(counts.total());
    sum.out[2] = static_cast<float>(counts[mine.count - 1]);
    if (float* const residual = weir::detail::residual_of(sum)) residual[0] = 5.0F;
  }
};

}  // namespace

TEST_CASE("a method is called with the counts of all ranks, and with the valid side of the residual") {
  on_all_thread_ranks(
      3, [](weir::ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
        weir::detail::BoundSparseSum<Probe, float, weir::HostExecutor, weir::ThreadCommunicator> bound(
            {executor, communicator, 3, 4});
        std::uint64_t const count = communicator.rank() + 1;
        std::vector<std::uint32_t> const indices(4);
        std::vector<float> const values(4);
        std::vector<float> out(3);
        float first = 0.0F;
        float second = 0.0F;
        std::uint32_t const side = 1;
        weir::SparseSum<float, weir::HostSpace> sum{weir::view(indices), weir::view(values), &count};
        sum.out = weir::view(out);
        executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
        executor.synchronize();
        CHECK(out == std::vector<float>{3, 6, static_cast<float>(count)});
        sum.residual = {&first, &second, 1, &side};
        executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
        executor.synchronize();
        CHECK(first == 0.0F);
        CHECK(second == 5.0F);
      });
}
