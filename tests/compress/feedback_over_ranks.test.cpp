// What ranks with an error feedback of their own apply together is the sum of what each of them would send
// alone.
#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"

namespace {

using Vector = std::vector<float>;

constexpr std::size_t ranks = 3, steps = 6;

/// A large bucket, one that is sent whole, and one without elements.
weir::BucketPlan plan() {
  return weir::BucketPlan({{0}, {30}, {700}}, {{2}, {1}, {0}});
}

Vector gradient(std::size_t rank, std::size_t step) {
  return rough_gradient(plan().elements(), 10 * step + rank);
}

auto const stage = weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.02, .dense_below = 31}}};

}

TEST_CASE("ranks apply, in rank order, the sum of what each sends") {
  std::vector<std::vector<Vector>> sent(ranks);  // by rank and step
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    SparseTraining alone(stage, plan());
    for (std::size_t step = 0; step < steps; ++step) sent[rank].push_back(alone.step(gradient(rank, step)));
  }
  on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
    std::size_t const rank = communicator.rank();
    weir::HostExecutor const executor;
    Vector weights(plan().elements());
    weir::StreamWorkerPool pool{executor, {.buckets = plan()}};
    std::vector<Vector> applied;
    auto sync = (weir::LocalAggregator{weir::SumScale{}} | stage | weir::AllReduce{communicator} |
                 Collect<float>{applied})
                    .on(pool, weir::view(weights));
    auto const model = [&](auto& micro) {
      Vector const all = gradient(rank, micro.step());
      for (std::size_t i = 0; i < 30; ++i) micro.gradient(1)[i] = all[i];
      for (std::size_t i = 0; i < 700; ++i) micro.gradient(2)[i] = all[30 + i];
    };
    int const samples[ranks] = {};
    for (std::size_t step = 0; step < steps; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    for (std::size_t step = 0; step < steps; ++step) {
      Vector sum(plan().elements());
      for (std::size_t of = 0; of < ranks; ++of) {
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += sent[of][step][i];
      }
      CHECK(same_bits(applied[step], sum));
    }
  });
}
