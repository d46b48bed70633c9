#include "weir/plan/noise_scale.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "weir/state/archive.hpp"

using weir::NoiseMeasurement;
using weir::NoiseScale;

namespace {

struct WorkerGradient {
  std::vector<double> mean;
  std::size_t batch;
};

double square(std::vector<double> const& vector) {
  double sum = 0;
  for (double const x : vector) sum += x * x;
  return sum;
}

NoiseMeasurement measure(std::vector<WorkerGradient> const& workers) {
  NoiseMeasurement result{.workers = workers.size()};
  std::vector<double> mean(workers.front().mean.size());
  for (auto const& worker : workers) {
    result.global_batch += worker.batch;
    result.mean_square += square(worker.mean) / static_cast<double>(workers.size());
    result.mean_inverse_batch += 1 / static_cast<double>(worker.batch) / static_cast<double>(workers.size());
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += worker.mean[i] * static_cast<double>(worker.batch);
  }
  for (double& x : mean) x /= static_cast<double>(result.global_batch);
  result.square_of_mean = square(mean);
  return result;
}

}  // namespace

TEST_CASE("the noise scale has the golden values") {
  auto const equal = measure({{{4, 1}, 32}, {{2, 3}, 32}});
  CHECK(equal.square_of_mean == doctest::Approx(13));
  CHECK(equal.mean_square == doctest::Approx(15));
  CHECK(equal.variance() == doctest::Approx(128));
  CHECK(equal.signal() == doctest::Approx(11));
  NoiseScale scale;
  scale.add(equal);
  REQUIRE(scale.value());
  CHECK(*scale.value() == doctest::Approx(11.6363636).epsilon(1e-8));

  auto const unequal = measure({{{4, 1}, 32}, {{1, 2.5}, 64}});
  CHECK(unequal.square_of_mean == doctest::Approx(8));
  CHECK(unequal.mean_square == doctest::Approx(12.125));
  CHECK(unequal.variance() == doctest::Approx(316.8));
  CHECK(unequal.signal() == doctest::Approx(4.7));
  NoiseScale other;
  other.add(unequal);
  CHECK(*other.value() == doctest::Approx(67.4042553).epsilon(1e-8));
}

TEST_CASE("gradients without a signal, and a single worker, decide nothing") {
  NoiseScale scale;
  CHECK_FALSE(scale.value());
  scale.add(measure({{{3, 0}, 32}, {{0, 3}, 32}}));
  CHECK_FALSE(scale.value());
  NoiseScale alone;
  alone.add(measure({{{3, 0}, 32}}));
  CHECK_FALSE(alone.value());
  scale.add(measure({{{4, 1}, 32}, {{2, 3}, 32}}));
  auto const before = scale.value();
  scale.add(measure({{{std::nan(""), 1}, 32}, {{2, 3}, 32}}));
  CHECK(scale.value() == before);
}

TEST_CASE("the estimate is within 10 % of the truth on synthetic gradients of unequal workers") {
  // Gradients of 100 entries: mean 0.2 each, so R = 4, and variance 5 each, so S = 500, per sample.
  constexpr std::size_t size = 100;
  constexpr double truth = 500.0 / 4.0;
  std::mt19937_64 engine(5);
  std::normal_distribution<double> normal;
  NoiseScale scale;
  double sum = 0;
  for (int step = 0; step < 1000; ++step) {
    std::vector<WorkerGradient> workers;
    for (std::size_t const micro_batches : {1u, 3u, 1u, 3u}) {
      std::size_t const batch = 8 * micro_batches;
      double const deviation = std::sqrt(5.0 / static_cast<double>(batch));
      std::vector<double> mean(size);
      for (double& x : mean) x = 0.2 + deviation * normal(engine);
      workers.push_back({mean, batch});
    }
    scale.add(measure(workers));
    if (step < 500) continue;
    REQUIRE(scale.value());
    sum += *scale.value();
  }
  CHECK(sum / 500 == doctest::Approx(truth).epsilon(0.1));
}

TEST_CASE("what has been smoothed is kept in a checkpoint") {
  NoiseScale scale;
  scale.add(measure({{{4, 1}, 32}, {{2, 3}, 32}}));
  weir::Archive archive;
  scale.save(archive);
  NoiseScale restored;
  restored.load(archive);
  CHECK(restored.value() == scale.value());
  auto const more = measure({{{4, 1}, 32}, {{1, 2.5}, 64}});
  scale.add(more);
  restored.add(more);
  CHECK(restored.value() == scale.value());
}
