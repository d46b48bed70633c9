// Two layers of which an eighth of the weights exist, trained by two workers. No array says which ones.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/linear.hpp"
#include "weir/weir.hpp"

using Layer = weir::BIBDLinear<weir::GroupDesign>;
constexpr std::size_t width = 64, samples = 64;

// y is to become |x|, so the model needs both layers. Parameters: values of the first, its bias, values of
// the second.
struct Model {
  Layer::Bound<weir::HostExecutor> const& first;
  Layer::Bound<weir::HostExecutor> const& second;

  void operator()(auto& micro) const {
    auto const stream = micro.executor();
    std::size_t const n = micro.samples().size();
    std::vector<float> x(n * width), hidden(x), out(x), error(x), back(x);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t f = 0; f < width; ++f)
        x[i * width + f] = static_cast<float>((micro.samples()[i] * (2 * f + 1)) % 64) / 32.0f - 1.0f;
    }
    auto const batch = [&](auto& numbers) { return weir::batch_major(numbers.data(), n, width); };
    auto const constant = [&](std::vector<float> const& numbers) { return batch(numbers); };
    first.forward<float>(stream, micro.weights(0), micro.weights(1), constant(x), batch(hidden));
    second.forward<float>(stream, micro.weights(2), {}, constant(hidden), batch(out));
    double loss = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      float const difference = out[i] - std::abs(x[i]);
      loss += double{difference} * difference / static_cast<double>(2 * n);
      error[i] = micro.loss_scale() * difference / static_cast<float>(n);
    }
    micro.loss(loss);
    auto const mode = micro.accumulate() ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
    second.backward<float>(stream, micro.weights(2), constant(hidden), constant(out), batch(error),
                           batch(back), micro.gradient(2), {}, mode);
    first.backward<float>(stream, micro.weights(0), constant(x), constant(hidden), batch(back),
                          {nullptr, n, width, width}, micro.gradient(0), micro.gradient(1), mode);
  }
};

int main() {
  auto const mask = [](std::uint64_t seed) {
    return weir::BIBDMask{weir::GroupDesign{{.outputs = width, .inputs = width, .group = 8, .seed = seed}}};
  };
  Layer const first(mask(0), {.activation = weir::Activation::relu}), second(mask(1), {.has_bias = false});
  std::vector<float> weights(first.value_count() + first.bias_count() + second.value_count());
  first.initialise(std::span(weights).first(first.value_count()), {.seed = 1});
  second.initialise(std::span(weights).last(second.value_count()), {.gain = 1.0, .seed = 2});

  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::per_parameter({{.elements = first.value_count()},
                                                     {.elements = first.bias_count()},
                                                     {.elements = second.value_count()}});
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = samples / 2}};
  auto sync =
      (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.01}}).on(workers, weir::view(weights));
  auto const bound_first = first.on(exec), bound_second = second.on(exec);
  Model const model{bound_first, bound_second};
  std::vector<std::size_t> batch(samples);
  std::iota(batch.begin(), batch.end(), std::size_t{0});
  double before = 0, after = 0;
  for (int step = 0; step < 200; ++step, before = before == 0 ? after : before) {
    sync(workers(std::span<std::size_t const>(batch), model));
    sync.wait();
    after = workers.take_loss().mean();
  }
  std::printf("%zu of %zu weights, loss %.4f -> %.4f\n", first.mask().nnz(), width * width, before, after);
  return after < before / 5 ? 0 : 1;
}
