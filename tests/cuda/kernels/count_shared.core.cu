#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/count_shared.cuh"

namespace {

using Work = weir::detail::DeviceWork<double>;
using Count = weir::detail::SharedCount<Work>;
using Search = weir::SharedRankSearch<double>;

}  // namespace

TEST_CASE("blocks add what they count together to what is there, unless there is nothing to find") {
  std::vector<double> values(10'007);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 3 == 0 ? 0.0 : 1.0 / static_cast<double>(i);
  values[7] = 1e30;
  weir::TailStatistics const tail{0, 6671, 1e-4, 1e30, 0.0, 0.0, 0.0};
  weir::TailStatistics own = tail;
  Search search;
  search.start(100, 1, false, tail, tail);
  std::vector<std::uint64_t> expected(Search::counters + 1, 5);
  for (double const value : values) ++expected[search.counter_of(value)];
  expected.pop_back();
  for (unsigned const blocks : {1u, 3u, 50u}) {
    std::vector<std::uint64_t> counters(Search::counters, 5);
    Work work{};
    work.layout = weir::detail::SparsifyLayout::of(values.size());
    work.accumulator = values.data();
    work.tail = &own;
    work.shared_rank = &search;
    work.shared_counters = counters.data();
    auto const memory = std::make_unique<Count::Memory>();
    for (auto& counter : memory->counters) counter = 77;
    for (unsigned index = blocks; index-- > 0;) Count(work, *memory, index, blocks).run(play::Block{});
    CHECK(counters == expected);
    own.non_finite = 1;  // which this rank skips
    Count(work, *memory, 0, 1).run(play::Block{});
    CHECK(counters == expected);
    own.non_finite = 0;
    Search done;
    done.start(0, 0, false, tail, tail);
    work.shared_rank = &done;
    Count(work, *memory, 0, 1).run(play::Block{});
    CHECK(counters == expected);
  }
}
