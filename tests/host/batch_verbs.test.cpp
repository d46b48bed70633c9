#include "weir/host/batch_verbs.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

#include "host/masked_reference.hpp"

namespace {

TEST_CASE("samples are summed feature by feature, or added to what is there") {
  for (auto order : {weir::BatchOrder::batch_major, weir::BatchOrder::feature_major}) {
    for (std::size_t threads : {1u, 2u}) {
      weir::HostExecutor const exec({.threads = threads});
      weir_test::Batch<float> batch(300, 500, order, 3);
      weir_test::fill_batch(batch, 1);
      std::vector<double> sum(500, 3.0), expected(500);
      for (std::size_t f = 0; f < 500; ++f) {
        for (std::size_t i = 0; i < 300; ++i) expected[f] += batch(i, f);
      }
      sum_samples(exec, batch.view(), weir::view(sum), weir::GradientMode::overwrite);
      exec.synchronize();
      CHECK(sum == expected);
      sum_samples(exec, batch.constant(), weir::view(sum), weir::GradientMode::accumulate);
      exec.synchronize();
      for (std::size_t f = 0; f < 500; ++f) CHECK(sum[f] == doctest::Approx(2 * expected[f]).epsilon(1e-12));
    }
  }
}

TEST_CASE("a gradient passes where the output was above zero") {
  weir::HostExecutor const exec;
  float const nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> const y = {1, 0, -1, nan, 0.5f, -0.0f};
  std::vector<float> dy(6, 2.0f);
  auto const gate = [&](weir::Activation activation) {
    gate_gradient(exec, activation, weir::batch_major(y.data(), 2, 3), weir::batch_major(dy.data(), 2, 3));
    exec.synchronize();
  };
  gate(weir::Activation::identity);
  CHECK(dy == std::vector<float>(6, 2.0f));
  gate(weir::Activation::relu);
  CHECK(dy == std::vector<float>{2, 0, 0, 0, 2, 0});
}

TEST_CASE("a double that no float can hold opens the gate") {
  weir::HostExecutor const exec;
  std::vector<double> const y = {1e-50, -1e-50};
  std::vector<double> dy(2, 2.0);
  gate_gradient(exec, weir::Activation::relu, weir::batch_major(y.data(), 1, 2),
                weir::batch_major(dy.data(), 1, 2));
  exec.synchronize();
  CHECK(dy == std::vector<double>{2, 0});
}

TEST_CASE("the sum of many numbers of one sign loses little") {
  weir::HostExecutor const exec;
  std::size_t const samples = 131'072;
  std::vector<float> const numbers(3 * samples, 0.7f);
  std::vector<float> sum(3);
  sum_samples(exec, weir::batch_major(numbers.data(), samples, 3), weir::view(sum),
              weir::GradientMode::overwrite);
  exec.synchronize();
  for (float const value : sum)
    CHECK(value == doctest::Approx(double{0.7f} * static_cast<double>(samples)).epsilon(1e-5));
}

TEST_CASE("other sizes are refused") {
  weir::HostExecutor const exec;
  std::vector<float> numbers(6), sum(2);
  CHECK_THROWS_AS(sum_samples(exec, weir::batch_major(numbers.data(), 2, 3), weir::view(sum),
                              weir::GradientMode::overwrite),
                  weir::ContractViolation);
  CHECK_THROWS_AS(gate_gradient(exec, weir::Activation::relu, weir::batch_major(numbers.data(), 2, 3),
                                weir::batch_major(sum.data(), 1, 2)),
                  weir::ContractViolation);
}

}  // namespace
