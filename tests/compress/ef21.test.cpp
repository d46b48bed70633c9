#include "weir/compress/ef21.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"

namespace {

using Vector = std::vector<float>;

auto top(weir::ThresholdSparsifierOptions const& options) {
  return weir::EF21{weir::ThresholdSparsifier{options, weir::ExactTopK{}}};
}

/// Throws when it is told to.
struct Fails {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  bool const* fails;

  template <class E>
  auto on(weir::BucketContext<E, float> const&) const {
    return [now = fails](weir::DenseGradient<E, float> const& gradient) {
      if (*now) throw std::runtime_error("as it should");
      return gradient;
    };
  }
};

weir::BucketPlan two_buckets() {
  return weir::BucketPlan({{4}, {6}}, {{1}, {0}});
}

}

TEST_CASE("what has changed is sent, and what is applied comes nearer to the gradient") {
  SparseTraining training(top({.density = 0.25}), 4);
  Vector const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  CHECK(training.step(gradient) == Vector{4, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{4, -3, 0, 0});
  CHECK(training.step({4.0f, -3.0f, 1.0f, 2.0f}) == Vector{4, -3, 0, 2});
  CHECK(training.step({9.0f, -3.0f, 1.0f, 2.0f}) == Vector{9, -3, 0, 2});
  CHECK(training.bound().sparsifier().residual(0) == Vector{9, -3, 0, 2});
}

TEST_CASE("a gradient that is not finite changes nothing") {
  SparseTraining training(top({.density = 0.25}), 4);
  (void)training.step({4.0f, -3.0f, 1.0f, 0.5f});
  CHECK(training.step({4.0f, std::numeric_limits<float>::infinity(), 1.0f, 0.5f}) == Vector{4, 0, 0, 0});
  CHECK(training.bound().sparsifier().residual(0) == Vector{4, 0, 0, 0});
}

TEST_CASE("small buckets are sent whole, and are not remembered") {
  SparseTraining training(top({.density = 0.1, .dense_below = 5}), two_buckets());
  CHECK(training.step({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) == Vector{1, 2, 3, 4, 0, 0, 0, 0, 0, 10});
  CHECK(training.step({2, 0, 3, 4, 5, 6, 7, 8, 9, 10}) == Vector{2, 0, 3, 4, 0, 0, 0, 0, 9, 10});
}

TEST_CASE("after a restore the run goes on with the same bits") {
  SparseTraining whole(top({.density = 0.1}), two_buckets());
  SparseTraining before(top({.density = 0.1}), two_buckets());
  SparseTraining after(top({.density = 0.1}), two_buckets());
  for (std::size_t step = 0; step < 5; ++step) {
    (void)whole.step(rough_gradient(10, step));
    (void)before.step(rough_gradient(10, step));
  }
  after.sync().load(before.saved());
  for (std::size_t step = 5; step < 10; ++step)
    CHECK(same_bits(after.step(rough_gradient(10, step)), whole.step(rough_gradient(10, step))));
}

TEST_CASE("a step that fails cannot be undone: it takes a checkpoint, or a new start") {
  bool fails = false;
  auto const model = [](auto& micro) {
    micro.gradient(0)[0] = 3.0f;
    micro.gradient(0)[1] = 2.0f;
  };
  weir::HostExecutor const executor;
  Vector weights(2);
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::per_parameter({{2}})}};
  std::vector<Vector> applied;
  auto sync = (weir::LocalAggregator{} | top({.density = 0.5}) | Fails{&fails} | Collect<float>{applied})
                  .on(pool, weir::view(weights));
  int const samples[1] = {};
  auto const step = [&] {
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    return applied.back();
  };
  CHECK(step() == Vector{3, 0});
  weir::Archive saved;
  sync.save(saved);

  fails = true;
  CHECK_THROWS_WITH(step(), doctest::Contains("as it should"));
  fails = false;
  CHECK_THROWS_AS(step(), weir::TornStep);
  CHECK_THROWS_AS(step(), weir::TornStep);
  sync.load(saved);
  CHECK(step() == Vector{3, 2});

  fails = true;
  CHECK_THROWS_WITH(step(), doctest::Contains("as it should"));
  fails = false;
  sync.restored();
  CHECK(step() == Vector{3, 0});
}

TEST_CASE("over ranks, what is applied is the sum of what the ranks know of each other") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    weir::EF21 const stage{weir::ThresholdSparsifier{{.density = 0.5}, weir::ExactTopK{}},
                           weir::AllReduce{communicator}};
    SparseTraining training(stage, 2);
    float const rank = static_cast<float>(communicator.rank());
    CHECK(training.step({1.0f + rank, 2.0f}) == Vector{5, 2});  // of equal ones the first is sent
    CHECK(training.step({1.0f + rank, 2.0f}) == Vector{6, 6});
    CHECK(training.sync().ranks().ranks.size() == 3);
  });
}
