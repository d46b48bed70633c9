// Optimizers and copies of the weights, on the device in one launch a bucket, against the host's verbs.
#include <doctest/doctest.h>

#include <cstddef>

#include "host/verb_oracle.hpp"
#include "optim/decided_training.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

namespace {

template <class Element, class Real, class Copy>
void compare(auto const& optimizer, std::size_t workers) {
  CAPTURE(workers);
  auto const expected = decided::train<Element, Real, Copy>(weir::HostExecutor(), workers, optimizer);
  auto const found = decided::train<Element, Real, Copy>(weir::CudaExecutor(), workers, optimizer);
  CHECK(oracle::same(found.weights, expected.weights));
  CHECK(oracle::same(found.copies, expected.copies));
}

}  // namespace

TEST_CASE("a recipe that updates and copies weights gives the host's bits on the device") {
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
