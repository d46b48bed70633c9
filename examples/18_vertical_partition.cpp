// A network whose channels are partitioned: four groups of a convolution, each with a head of its own, run as
// branches on the streams of a pool. How many streams there are changes no bit of what is learned.
#include <cstddef>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/conv2d.hpp"
#include "weir/mask/cross_entropy.hpp"
#include "weir/mask/partitioned_head.hpp"
#include "weir/weir.hpp"

using Floats = std::vector<float>;
constexpr std::size_t images = 64, side = 6, area = side * side, colours = 16, channels = 32, classes = 4;
constexpr auto overwrite = weir::GradientMode::overwrite;

// One bit of the label is seen by the first group, the other by the last: no head alone can tell all classes.
float brightness(std::size_t image, std::size_t pixel, std::size_t channel) {
  bool const is_lit = (channel < 4 && image % 2 == 1) || (channel >= 12 && image / 2 % 2 == 1);
  return static_cast<float>((image * 131 + pixel * 37 + channel * 71) % 97) / 97.0f + (is_lit ? 0.5f : 0.0f);
}
// Calls f(element of the feature maps, element of their means over the pixels).
void for_each_pixel(auto const& f) {
  for (std::size_t i = 0; i < images * area * channels; ++i)
    f(i, i / channels / area * channels + i % channels);
}

Floats train(std::size_t workers, double& loss) {
  weir::BIBDConv2d const conv({.inputs = colours, .outputs = channels, .padding = 1, .groups = 4});
  weir::PartitionedHead const head({.features = channels, .classes = classes, .groups = 4});
  std::size_t const first = conv.value_count(), second = head.value_count(), biases = head.bias_count();
  Floats weights(first + second + biases), gradients(weights);
  conv.initialise(std::span(weights).first(first), {.seed = 1});
  head.initialise(std::span(weights).subspan(first, second), {.seed = 2});
  auto const w = weir::view(weights), g = weir::view(gradients);
  auto const of_conv = w.part(0, first), of_head = w.part(first, second),
             bias = w.part(first + second, biases);
  weir::HostExecutor exec;
  weir::StreamWorkerPool pool{exec, {.workers = workers, .buckets = weir::BucketPlan::by_bytes({4})}};
  weir::Gradients source{exec, weir::BucketPlan::per_parameter({{.elements = w.size()}}), std::vector{g}};
  auto sync = (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.02}}).on(source, w);
  auto const convolution = conv.on(exec);
  auto const answer = head.on(exec);
  Floats x(images * area * colours), y(images * area * channels), dy(y), means(images * channels);
  Floats dmeans(means), hidden(images * head.hidden()), dhidden(hidden), logits(images * classes),
      dlogits(logits);
  std::vector<std::size_t> labels;
  for (std::size_t i = 0; i < images; ++i) labels.push_back(i % classes);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = brightness(i / colours / area, i / colours % area, i % colours);
  auto const of = [](Floats& all, std::size_t width) {
    return weir::batch_major(all.data(), all.size() / width, width);
  };
  auto const shape = conv.shape(images, side, side);
  auto const in = of(x, colours), maps = of(y, channels), seen = of(means, channels);
  auto const said = of(hidden, head.hidden()), dsaid = of(dhidden, head.hidden()), out = of(logits, classes);
  for (int step = 0; step < 60; ++step) {  // all of it is enqueued, nothing waits
    convolution.forward<float>(pool, shape, of_conv, {}, in, maps);
    exec.submit([&] { means.assign(means.size(), 0.0f); });
    exec.submit([&] { for_each_pixel([&](auto i, auto mean) { means[mean] += y[i] / float{area}; }); });
    answer.forward<float>(pool, of_head, bias, seen, said, out);
    exec.submit([&] { loss = weir::cross_entropy<float>(logits, labels, dlogits); });
    answer.backward<float>(pool, of_head, seen, said, out, of(dlogits, classes), dsaid, of(dmeans, channels),
                           g.part(first, second), g.part(first + second, biases), overwrite);
    exec.submit([&] { for_each_pixel([&](auto i, auto mean) { dy[i] = dmeans[mean] / float{area}; }); });
    convolution.backward<float>(pool, shape, of_conv, in, maps, of(dy, channels), {}, g.part(0, first), {},
                                overwrite);
    sync(source(std::vector<std::size_t>{images}));
  }
  sync.wait();
  return weights;
}
int main() {
  double loss = 0;
  bool const same = train(1, loss) == train(4, loss);
  std::printf("loss %.4f; weights of 4 workers %s those of 1\n", loss, same ? "are" : "differ from");
  return same && loss < 0.3 ? 0 : 1;
}
