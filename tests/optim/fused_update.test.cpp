// The updates of many tensors at once, as optimizers use them, against the updates of each.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "optim/decided_training.hpp"
#include "support/bits.hpp"
#include "support/immediate_executor.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_copy.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

template <class Element, class Real, class Copy>
void compare(auto const& optimizer, std::size_t workers) {
  CAPTURE(workers);
  auto const expected = decided::train<Element, Real, Copy>(weir::HostExecutor(), workers, optimizer);
  verb_counts() = {};
  auto const found = decided::train<Element, Real, Copy>(ImmediateExecutor(), workers, optimizer);
  CHECK(same_bits(found.weights, expected.weights));
  CHECK(same_bits(found.copies, expected.copies));

  bool const is_summed_before = workers > weir::most_update_terms;
  constexpr bool is_copied_before = !std::is_same_v<Real, float> || sizeof(Copy) != 2;
  auto const [updates, pieces, sums, copies] = verb_counts();
  CHECK(updates == 0);
  CHECK(pieces == static_cast<int>(decided::buckets * decided::steps));
  CHECK(sums == (is_summed_before ? pieces : 0));
  CHECK(copies == static_cast<int>(decided::parameters * (is_copied_before ? 1 + decided::steps : 1)));
}

}  // namespace

TEST_CASE("a bucket is summed, updated and copied in one launch, with the bits of one verb after another") {
  weir::Sgd const plain{{.learning_rate = 0.25}};
  weir::Sgd const momentum{{.learning_rate = 0.25, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01}};
  weir::AdamW const adamw{{.learning_rate = 0.01}};
  for (std::size_t workers : {1u, 2u, 8u, 9u}) {
    compare<float, float, weir::bfloat16>(plain, workers);
    compare<weir::half, float, weir::half>(momentum, workers);
    compare<weir::bfloat16, float, weir::bfloat16>(adamw, workers);
    compare<double, double, weir::half>(adamw, workers);
  }
  compare<float, float, double>(adamw, 2);
}

TEST_CASE("an optimizer inside another stage has done its work when that goes on") {
  auto const result_of = [](auto const& executor) {
    std::vector<float> weights = {1.0f, 2.0f};
    std::vector<weir::half> copies(2);
    weir::StreamWorkerPool pool{executor,
                                {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4, 4}, 1, 1)}};
    auto sync = (weir::LocalAggregator{} |
                 weir::WeightSync{weir::WeightPolicy::overlap, weir::Sgd{{.learning_rate = 0.5}}} |
                 weir::WeightCopy{weir::view(copies)})
                    .on(pool, weir::view(weights));
    std::vector<float> seen;
    auto const model = [&](auto& micro) {
      if (micro.worker() == 1) {
        for (std::size_t p = 0; p < 2; ++p) seen.push_back(micro.weights(p)[0]);
      }
      for (std::size_t p = 0; p < 2; ++p) micro.gradient(p)[0] = 1.0f;
    };
    int const samples[2] = {};
    for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK(static_cast<float>(copies[1]) == 1.0f);
    return seen;
  };
  auto const expected = result_of(weir::HostExecutor());
  CHECK(expected == std::vector{1.0f, 2.0f, 0.5f, 1.5f});
  CHECK(result_of(ImmediateExecutor()) == expected);
}
