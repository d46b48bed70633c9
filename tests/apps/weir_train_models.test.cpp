#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "../../examples/apps/weir_train/cnn.hpp"
#include "../../examples/apps/weir_train/evaluator.hpp"
#include "../../examples/apps/weir_train/gru.hpp"
#include "../../examples/apps/weir_train/mlp.hpp"
#include "../../examples/apps/weir_train/mlp_math.hpp"
#include "../../examples/apps/weir_train/model.hpp"
#include "fake_micro.hpp"
#include "gradient_check.hpp"

using namespace weir_train;

TEST_CASE("the gradient of an mlp is that of finite differences") {
  std::vector<std::size_t> const hidden{9, 13};
  check_gradient(mlp<double>({3, 5, 1}, hidden, 10), 1);
  check_gradient(mlp<double>({8, 8, 1}, std::vector<std::size_t>{}, 10), 1);
}

TEST_CASE(
    "the gradient of a cnn is that of finite differences, for even and odd sizes and several channels") {
  check_gradient(cnn<double>({8, 8, 1}, 10), 7);
  check_gradient(cnn<double>({7, 5, 3}, 10), 11);
}

TEST_CASE("the gradient of a gru is that of finite differences, for one row, several units and channels") {
  check_gradient(gru<double>({1, 6, 1}, std::vector<std::size_t>{5}, 10), 1);
  check_gradient(gru<double>({4, 3, 2}, std::vector<std::size_t>{5}, 10), 3);
  check_gradient(gru<double>({5, 4, 1}, std::vector<std::size_t>{6, 7, 4}, 10), 5);
}

TEST_CASE("gradients are overwritten or added to, as the micro-batch says") {
  for (auto const& network :
       {mlp<double>({4, 4, 1}, std::vector<std::size_t>{6}, 10), cnn<double>({4, 4, 1}, 10),
        gru<double>({4, 4, 1}, std::vector<std::size_t>{6, 3}, 10)}) {
    check_accumulation(network);
  }
}

TEST_CASE("each parameter is reported once, the last layer first") {
  auto const network = cnn<float>({8, 8, 1}, 10);
  Images const images = random_images(network.input(), 3, 2);
  std::vector<std::uint32_t> const samples{0, 1, 2};
  Model<float> model(network, images, 1, 3);
  FakeMicro<float> micro(network, samples);
  network.initialise(1, micro.values);
  model(micro);
  CHECK(micro.order == std::vector<std::size_t>{4, 5, 2, 3, 0, 1});
}

TEST_CASE("initial weights depend on the seed only, lie within their bound, and biases are zero") {
  auto const network = mlp<float>({8, 8, 1}, std::vector<std::size_t>{64}, 10);
  std::vector<float> one(network.elements()), two(network.elements()), other(network.elements());
  network.initialise(4, one);
  network.initialise(4, two);
  network.initialise(5, other);
  CHECK(one == two);
  CHECK(one != other);
  float const bound = std::sqrt(6.0f / 64.0f);
  auto const [least, most] = std::minmax_element(one.begin(), one.begin() + 64 * 64);
  CHECK(*least >= -bound);
  CHECK(*least < -0.99f * bound);
  CHECK(*most <= bound);
  CHECK(*most > 0.99f * bound);
  CHECK(std::all_of(one.begin() + 64 * 64, one.begin() + 64 * 65, [](float bias) { return bias == 0; }));
}

TEST_CASE("weights that are not numbers make a loss that is not one") {
  auto const network = mlp<float>({4, 4, 1}, std::vector<std::size_t>{16}, 10);
  Images const images = random_images(network.input(), 3, 2);
  std::vector<std::uint32_t> const samples{0, 1};
  Model<float> model(network, images, 1, 2);
  FakeMicro<float> micro(network, samples);
  network.initialise(1, micro.values);
  micro.values[5] = std::nanf("");
  model(micro);
  CHECK(!std::isfinite(micro.mean_loss));
}

TEST_CASE("the evaluator counts the samples whose largest output is their label") {
  // One dense layer that copies pixel i to class i.
  auto const network = mlp<float>({2, 5, 1}, std::vector<std::size_t>{}, 10);
  std::vector<float> weights(network.elements());
  for (std::size_t i = 0; i < 10; ++i) weights[i * 10 + i] = 1;
  Images images{.shape = {2, 5, 1}, .scale = 1.0f / 255.0f};
  for (std::size_t i = 0; i < 1000; ++i) {
    for (std::size_t pixel = 0; pixel < 10; ++pixel) images.pixels.push_back(pixel == i % 10 ? 255 : 7);
    images.labels.push_back(static_cast<std::uint8_t>(i < 750 ? i % 10 : (i + 1) % 10));
  }
  CHECK(Evaluator(network, images).accuracy(weights) == 0.75);
}

TEST_CASE("what the kernels of an mlp compute is what the host computes") {
  constexpr std::size_t classes = 10, samples = 5;
  weir::RandomStream const random{.seed = 23};
  std::vector<float> logits(classes * samples), expected(logits.size()), gradient(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = 60 * random.uniform(i) - 30;
  std::vector<std::uint8_t> const labels{3, 0, 9, 5, 5};
  double const scale = 0.75;
  double const mean =
      softmax_cross_entropy(logits.data(), std::span(labels), classes, scale, expected.data());

  double sum = 0;
  float const factor = factor_per_sample(weir::LossFactor{0.25, &scale}, samples);
  CHECK(factor == static_cast<float>(0.1875 / samples));
  for (std::size_t i = 0; i < samples; ++i) {
    sum += softmax_cross_entropy(logits.data() + i * classes, classes, labels[i],
                                 static_cast<float>(scale / samples), gradient.data() + i * classes);
  }
  CHECK(std::abs(sum / samples - mean) < 1e-6 * mean);
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(std::abs(gradient[i] - expected[i]) < 1e-7f);

  CHECK(activate(Activation::relu, -2.0f) == 0.0f);
  CHECK(activate(Activation::relu, 2.0f) == 2.0f);
  CHECK(activate(Activation::none, -2.0f) == -2.0f);
  CHECK(std::isnan(activate(Activation::relu, std::nanf(""))));
  CHECK(differentiate(Activation::relu, 0.0f, 3.0f) == 0.0f);
  CHECK(differentiate(Activation::relu, 0.5f, 3.0f) == 3.0f);
  CHECK(differentiate(Activation::none, -0.5f, 3.0f) == 3.0f);
}

TEST_CASE("a logit that is no number makes the loss of the kernels one that is not") {
  float gradient[3];
  for (std::size_t at = 0; at < 3; ++at) {
    float logits[] = {0.5f, -1.0f, 2.0f};
    logits[at] = std::nanf("");
    CHECK(!std::isfinite(softmax_cross_entropy(logits, 3, 1, 1.0f, gradient)));
  }
}
