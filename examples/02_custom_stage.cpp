// A stage of one's own: a struct with two aliases, `consumes` and `produces`, and one `on`. This one limits
// every element of the gradient, and is put between the local sum and the optimizer.
#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/weir.hpp"

// The description: a value, which can be copied and put into any recipe.
struct LimitElements {
  using consumes = weir::Dense;                 // one gradient of the whole device ...
  using produces = weir::Dense;                 // ... comes in, and goes out
  static constexpr char const* name = "limit";  // in traces

  float largest = 1.0f;

  // The bound object, one for each bucket. It may own memory, taken from `bucket.executor` here and not
  // later.
  struct Bound {
    float largest;
    std::size_t limited = 0;

    template <class Gradient>
    Gradient operator()(Gradient gradient) {
      gradient.materialise();  // the local sum is put off until somebody needs it
      // Divide and multiply are put off too: `values` times `factor` is the gradient.
      float const bound = largest / static_cast<float>(gradient.scale.factor());
      for (float& value : gradient.values) {
        limited += value < -bound || value > bound ? 1 : 0;
        value = std::clamp(value, -bound, bound);
      }
      return gradient;
    }
  };

  // Loops over elements are for a stream on the host: on another executor this stage is refused at compile
  // time.
  template <weir::HostOrderedExecutor Executor>
  Bound on(weir::BucketContext<Executor, float> const&) const {
    return {largest};
  }
};

static_assert(weir::StageOn<LimitElements, weir::HostExecutor>);

// With these weights and any sample s the gradient of parameter p is p + s - 2.
struct Model {
  void operator()(auto& micro) const {
    float const share = micro.loss_scale() / static_cast<float>(micro.samples().size());
    for (std::size_t parameter = 0; parameter < 4; ++parameter) {
      auto const gradient = micro.gradient(parameter);
      if (!micro.accumulate()) gradient[0] = 0.0f;
      for (float sample : micro.samples()) {
        gradient[0] += share * (static_cast<float>(parameter) + sample - 2.0f);
      }
    }
  }
};

int main() {
  std::vector<float> weights(4);
  std::vector<float> const samples = {0.5f, 1.0f, 1.5f, 1.0f};
  Model const model;

  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::per_parameter(std::vector<weir::Parameter>(4, {.elements = 1}));
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 2}};
  auto const recipe =
      weir::LocalAggregator{} | LimitElements{.largest = 0.75f} | weir::Sgd{{.learning_rate = 1.0}};
  auto sync = recipe.on(workers, weir::view(weights));
  sync(workers(std::span<float const>(samples), model));
  sync.wait();

  // The mean gradients -1, 0, 1, 2 have become -0.75, 0, 0.75, 0.75.
  std::printf("weights %g %g %g %g\n", double{weights[0]}, double{weights[1]}, double{weights[2]},
              double{weights[3]});
  return weights == std::vector<float>{0.75f, 0.0f, -0.75f, -0.75f} ? 0 : 1;
}
