// Selection on the gradients of models that are being trained, with and without error feedback.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "../../examples/apps/weir_train/cnn.hpp"
#include "../../examples/apps/weir_train/digits.hpp"
#include "../../examples/apps/weir_train/mlp.hpp"
#include "../../examples/apps/weir_train/model.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using namespace weir_train;

constexpr std::size_t batch = 32;
constexpr std::size_t adapting = 60;  // steps that adaptation has before qualities count
constexpr std::size_t steps = 160;

Images const& digits() {
  static Images const images =
      Digits::load(
          (std::filesystem::path(__FILE__).parent_path() / "../../examples/data/digits.csv").string())
          .train;
  return images;
}

/// One layer, or a whole model, at one density.
struct Quality {
  double mean = 0.0;   // after the adaptation
  double worst = 0.0;  // largest distance from 1, of all steps
};

/// Trains; gives the qualities of the buckets that send 100 elements or more.
template <class Stage>
void train(Network<float> const& network, Stage const& stage, bool in_one, std::vector<Quality>& qualities) {
  std::vector<weir::Parameter> parameters;
  for (ParameterInfo const& parameter : network.parameters()) parameters.push_back({parameter.elements});
  auto const plan = in_one ? weir::BucketPlan::by_bytes(parameters, std::size_t{1} << 30)
                           : weir::BucketPlan::per_parameter(parameters);
  std::vector<float> weights(network.elements());
  network.initialise(1, weights);
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.buckets = plan, .local_batch = batch}};
  auto sync =
      (weir::LocalAggregator{} | stage | weir::Sgd{{.learning_rate = 0.1}}).on(pool, weir::view(weights));
  auto& bound = sync.template stage<Stage>();
  Model<float> model(network, digits(), 1, batch);
  std::vector<std::uint32_t> order(digits().size() / batch * batch);
  std::vector<double> sums(plan.size()), worst(plan.size());
  for (std::size_t step = 0; step < steps; ++step) {
    std::size_t const at = step * batch % order.size();
    if (at == 0) weir::permutation(2, static_cast<std::uint32_t>(step), std::span<std::uint32_t>(order));
    sync(pool(std::span<std::uint32_t const>(order).subspan(at, batch), model));
    sync.wait();
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      weir::SparsifyStatistics const found = bound.statistics(bucket);
      if (step >= adapting) sums[bucket] += found.quality;
      // Where hardly anything is not 0, all of it is sent.
      if (found.participants > found.k_target)
        worst[bucket] = std::max(worst[bucket], std::abs(found.quality - 1.0));
    }
  }
  for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
    if (bound.statistics(bucket).k_target >= 100)
      qualities.push_back({sums[bucket] / static_cast<double>(steps - adapting), worst[bucket]});
  }
}

/// Of all layers and models, at densities of 10 and of 1 percent.
template <class MakeStage>
std::vector<Quality> train_all(MakeStage const& make_stage) {
  std::vector<std::size_t> const wide{256, 128}, shallow{512};
  Network<float> const networks[] = {mlp<float>({8, 8, 1}, wide, 10), mlp<float>({8, 8, 1}, shallow, 10),
                                     cnn<float>({8, 8, 1}, 10)};
  std::vector<Quality> qualities;
  for (double density : {0.1, 0.01}) {
    for (auto const& network : networks) {
      for (bool in_one : {false, true}) train(network, make_stage(density), in_one, qualities);
    }
  }
  return qualities;
}

// Without feedback: what is kept counts for nothing.
constexpr weir::ErrorFeedbackOptions feedback{.beta = 1.0}, no_feedback{.beta = 0.0};

std::vector<Quality> histogram(weir::ErrorFeedbackOptions const& options) {
  return train_all([&](double density) {
    return weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = density}}, options};
  });
}

std::vector<Quality> pareto(weir::ErrorFeedbackOptions const& options) {
  return train_all([&](double density) {
    return weir::ErrorFeedback{
        weir::ThresholdSparsifier{
            {.density = density, .capacity = 10.0}, weir::GeneralizedPareto{}, weir::AdaptiveStages<>{}},
        options};
  });
}

void check_histogram(std::vector<Quality> const& qualities) {
  CHECK(qualities.size() >= 14);
  for (Quality const& quality : qualities) CHECK(quality.worst <= 0.01);
}

void check_pareto(std::vector<Quality> const& qualities) {
  CHECK(qualities.size() >= 14);
  std::size_t good = 0;
  for (Quality const& quality : qualities) good += 0.8 <= quality.mean && quality.mean <= 1.25 ? 1 : 0;
  CAPTURE(good);
  CHECK(5 * good >= 4 * qualities.size());
}

}

TEST_CASE("on real gradients the histogram selects as many as are wanted, to one percent, in every step") {
  check_histogram(histogram(no_feedback));
  check_histogram(histogram(feedback));
}

TEST_CASE("on real gradients a Pareto fit with adaptive stages selects about as many as are wanted") {
  check_pareto(pareto(no_feedback));
  check_pareto(pareto(feedback));
}
