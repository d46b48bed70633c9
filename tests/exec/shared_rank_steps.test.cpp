#include "weir/exec/shared_rank_steps.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/histogram.hpp"

namespace {

using weir::NonFinitePolicy;
using Search = weir::SharedRankSearch<float>;

/// Where 10 magnitudes of so many ranks are 1 to 10, the threshold that the first rank alone ends at.
float threshold(double density, std::uint64_t ranks, std::uint64_t non_finite = 0) {
  weir::ThresholdState state;
  state.density = density;
  weir::SharedTail const all{{non_finite, 10, 1.0, 10.0, 55.0, 0.0, 0.0}, ranks};
  Search search;
  weir::StartSharedRank<weir::ExactTopK, float>{{},   &state,    5,      NonFinitePolicy::propagate,
                                                &all, &all.tail, &search}();
  while (!search.is_done()) {
    std::vector<std::uint64_t> counters(Search::counters + 1);
    for (int value = 1; value <= 10; ++value) ++counters[search.counter_of(static_cast<float>(value))];
    weir::ResumeSharedRank<float>{counters.data(), counters.data(), &search}();
  }
  std::uint64_t const ties[] = {search.own_ties(), 0};
  weir::DivideTies<float>{ties, 0, &search}();
  CHECK((search.selects_nothing() || search.cut().ties == 1));
  return search.cut().threshold;
}

}  // namespace

TEST_CASE("as many are wanted as the shares of those ranks that take part make together") {
  CHECK(threshold(0.2, 2) == 9.0f);
  CHECK(threshold(0.4, 2) == 7.0f);
  CHECK(threshold(0.59, 2) == 7.0f);  // 2 of 5, twice
  CHECK(threshold(0.4, 1) == 9.0f);
  CHECK(threshold(0.4, 0) > 1e30f);
}

TEST_CASE("what is not finite comes out of them where it is sent") {
  CHECK(threshold(0.4, 2, 1) == 8.0f);
  CHECK(threshold(0.4, 2, 9) > 1e30f);
}

TEST_CASE("a rank that takes no part has no ties") {
  weir::ThresholdState state;
  state.density = 0.5;
  weir::SharedTail const all{{0, 4, 2.0, 2.0, 8.0, 0.0, 0.0}, 1};
  for (auto const policy : {NonFinitePolicy::skip, NonFinitePolicy::error, NonFinitePolicy::propagate}) {
    for (std::uint64_t const non_finite : {0u, 1u}) {
      weir::TailStatistics const own{non_finite, 3, 2.0, 2.0, 6.0, 0.0, 0.0};
      Search search;
      weir::StartSharedRank<weir::ExactTopK, float>{{}, &state, 4, policy, &all, &own, &search}();
      CHECK(search.is_done());
      CHECK(search.own_ties() == (policy != NonFinitePolicy::propagate && non_finite != 0 ? 0 : 3));
    }
  }
}

TEST_CASE("the policy's tolerance is that of what all want") {
  weir::ThresholdState state;
  state.density = 0.5;
  weir::SharedTail const all{{0, 4000, 0.5, 1.0, 0.0, 0.0, 0.0}, 4};
  Search search;
  weir::StartSharedRank<weir::Histogram, float>{{},   &state,    1000,   NonFinitePolicy::skip,
                                                &all, &all.tail, &search}();
  std::vector<std::uint64_t> counters(Search::counters);
  counters[search.counter_of(1.0f)] = 1985;  // within 20 of 2,000
  counters[search.counter_of(0.5f)] = 2015;
  weir::ResumeSharedRank<float>{counters.data(), counters.data(), &search}();
  CHECK(search.is_done());
}
