#include "weir/compress/shared_threshold.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_reuse.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/loss_scale.hpp"

namespace {

using Vector = std::vector<float>;

auto shared(weir::ThreadCommunicator const& communicator, weir::ReuseConstants reuse = {}) {
  weir::ThresholdSparsifier const sparsifier{{.density = 0.05, .reuse = reuse, .capacity = 20.0},
                                             weir::Exponential{}};
  return weir::ErrorFeedback{weir::SharedThreshold{communicator, sparsifier}};
}

constexpr std::size_t size_of_rank = 2000;

/// What each rank with a gradient of these does with it, 100 being its share.
std::vector<weir::SparsifyStatistics> step_of(std::vector<Vector> const& gradients) {
  std::vector<weir::SparsifyStatistics> last(gradients.size());
  on_ranks(gradients.size(), [&](weir::ThreadCommunicator const& communicator) {
    SparseTraining training(shared(communicator), size_of_rank);
    training.step(gradients[communicator.rank()]);
    last[communicator.rank()] = training.bound().statistics(0);
  });
  return last;
}

/// A rank whose gradient is that much larger, but not finite in one place, changes nothing for those after
/// it.
template <class Policy>
void check_without_first(Policy const& policy, float factor) {
  constexpr std::size_t size = 2000;
  CAPTURE(std::string(Policy::name));
  CAPTURE(factor);
  for (std::size_t const ranks : {std::size_t{2}, std::size_t{3}}) {
    CAPTURE(ranks);
    std::vector<Vector> sent(ranks);
    std::vector<weir::SparsifyStatistics> last(ranks);
    auto const gradient = [&](std::size_t rank) {
      Vector values = rough_gradient(size, rank);
      if (rank == 0) {
        for (float& g : values) g *= factor;
        values[7] = std::numeric_limits<float>::infinity();
      }
      return values;
    };
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      weir::ThresholdSparsifier const sparsifier{{.density = 0.05, .capacity = 8.0}, policy};
      SparseTraining training(weir::SharedThreshold{communicator, sparsifier}, size);
      sent[communicator.rank()] = training.step(gradient(communicator.rank()));
      last[communicator.rank()] = training.bound().statistics(0);
    });
    CHECK(last[0].status == weir::SparsifyStatus::skipped);
    Vector whole;
    Vector together;
    for (std::size_t rank = 1; rank < ranks; ++rank) {
      Vector const of_rank = gradient(rank);
      whole.insert(whole.end(), of_rank.begin(), of_rank.end());
      together.insert(together.end(), sent[rank].begin(), sent[rank].end());
    }
    weir_test::SparseBucket<float> one(weir::HostExecutor{}, whole.size(), {.density = 0.05});
    one.step(whole, policy);
    Vector expected(whole.size());
    for (std::size_t i = 0; i < one.indices().size(); ++i) expected[one.indices()[i]] = one.values()[i];
    CHECK(together == expected);
    for (std::size_t rank = 1; rank < ranks; ++rank) CHECK(last[rank].threshold == one.last().threshold);
  }
}

}  // namespace

TEST_CASE("all ranks take one threshold, and those with larger gradients send more") {
  constexpr std::size_t size = 2000;
  std::vector<weir::SparsifyStatistics> found(3);
  on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
    auto const stage = shared(communicator);
    weir::HostExecutor const executor;
    Vector weights(size);
    weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::per_parameter({{size}})}};
    std::vector<Vector> sums;
    auto sync = (weir::LocalAggregator{weir::SumScale{}} | stage | weir::AllReduce{communicator} |
                 Collect<float>{sums})
                    .on(pool, weir::view(weights));
    auto const rank = communicator.rank();
    auto const model = [&](auto& micro) {
      Vector gradient = rough_gradient(size, rank);
      if (rank == 1 && micro.step() == 1) gradient[5] = std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < size; ++i)
        micro.gradient(0)[i] = gradient[i] * static_cast<float>(std::size_t{1} << rank);
    };
    int const samples[3] = {};
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    auto& bound = sync.template stage<std::remove_const_t<decltype(stage)>>();
    found[rank] = bound.statistics(0);
    // A rank whose gradient is not finite sends nothing; the others go on.
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK((bound.statistics(0).status == weir::SparsifyStatus::skipped) == (rank == 1));
  });
  CHECK(found[0].threshold == found[1].threshold);
  CHECK(found[1].threshold == found[2].threshold);
  CHECK(found[0].k_selected < found[1].k_selected);
  CHECK(found[1].k_selected < found[2].k_selected);
}

TEST_CASE("ranks with unlike gradients and residuals take one threshold in every step") {
  constexpr std::size_t size = 2000;
  constexpr std::size_t steps = 12;
  for (std::size_t const ranks : {std::size_t{2}, std::size_t{3}}) {
    CAPTURE(ranks);
    std::vector<std::vector<double>> thresholds(ranks);
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      SparseTraining training(shared(communicator), size);
      for (std::size_t step = 0; step < steps; ++step) {
        Vector gradient = rough_gradient(size, step * ranks + communicator.rank());
        for (float& g : gradient) g *= communicator.rank() == 0 ? 1.0f : 1.3f;
        training.step(gradient);
        thresholds[communicator.rank()].push_back(training.bound().statistics(0).threshold);
      }
    });
    for (std::size_t rank = 1; rank < ranks; ++rank) CHECK(thresholds[rank] == thresholds[0]);
    CHECK(thresholds[0][0] != thresholds[0][steps - 1]);
  }
}

TEST_CASE("ranks that count send, step by step, what one would of all their gradients") {
  constexpr std::size_t size = 2000;
  constexpr std::size_t steps = 12;
  for (std::size_t const ranks : {std::size_t{2}, std::size_t{3}}) {
    CAPTURE(ranks);
    std::vector<std::vector<Vector>> sent(steps, std::vector<Vector>(ranks));
    std::vector<std::vector<double>> thresholds(steps, std::vector<double>(ranks));
    auto const gradient = [&](std::size_t step, std::size_t rank) {
      Vector values = rough_gradient(size, step * ranks + rank);
      for (float& g : values) g *= rank == 0 ? 0.25f : 1.0f;
      return values;
    };
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      weir::ThresholdSparsifier const sparsifier{{.density = 0.05, .capacity = 3.0}};
      SparseTraining training(weir::ErrorFeedback{weir::SharedThreshold{communicator, sparsifier}}, size);
      for (std::size_t step = 0; step < steps; ++step) {
        sent[step][communicator.rank()] = training.step(gradient(step, communicator.rank()));
        thresholds[step][communicator.rank()] = training.bound().statistics(0).threshold;
      }
    });
    weir_test::SparseBucket<float> one(weir::HostExecutor{}, ranks * size,
                                       {.density = 0.05, .feedback = true});
    for (std::size_t step = 0; step < steps; ++step) {
      Vector whole;
      Vector together;
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        Vector const of_rank = gradient(step, rank);
        whole.insert(whole.end(), of_rank.begin(), of_rank.end());
        together.insert(together.end(), sent[step][rank].begin(), sent[step][rank].end());
      }
      one.step(whole, weir::Histogram{});
      Vector expected(whole.size());
      for (std::size_t i = 0; i < one.indices().size(); ++i) expected[one.indices()[i]] = one.values()[i];
      CHECK(together == expected);
      for (double const threshold : thresholds[step]) CHECK(threshold == one.last().threshold);
    }
  }
}

TEST_CASE("ranks fit one threshold, too, where one of them sends what is not finite") {
  std::vector<double> thresholds(2);
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    weir::ThresholdSparsifier const sparsifier{{.density = 0.05},
                                               weir::Exponential{},
                                               weir::FixedStages<1>{},
                                               weir::OnNonFinite<weir::NonFinitePolicy::propagate>{}};
    SparseTraining training(weir::ErrorFeedback{weir::SharedThreshold{communicator, sparsifier}}, 2000);
    Vector gradient = rough_gradient(2000, communicator.rank());
    for (std::size_t i = 0; i < 30; ++i) {
      if (communicator.rank() == 1) gradient[17 * i] = std::numeric_limits<float>::infinity();
    }
    training.step(gradient);
    thresholds[communicator.rank()] = training.bound().statistics(0).threshold;
  });
  CHECK(thresholds[0] == thresholds[1]);
}

TEST_CASE("ranks that send what is finite are as if one that does not were not there") {
  for (float const factor : {1e20f, 0.9f}) {
    check_without_first(weir::Histogram{}, factor);
    check_without_first(weir::ExactTopK{}, factor);
    check_without_first(weir::Exponential{}, factor);
    check_without_first(weir::GeneralizedPareto{}, factor);
  }
}

TEST_CASE("a rank whose step a loss scale skips takes no part either") {
  auto const check = [](auto const& policy) {
    CAPTURE(std::string(policy.name));
    constexpr std::size_t size = 2000;
    auto const gradient = [](std::size_t rank) {
      Vector values = rough_gradient(size, rank);
      if (rank == 0) values[7] = std::numeric_limits<float>::infinity();
      return values;
    };
    std::vector<Vector> sent(3), sent_scaled(3);
    on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
      weir::ThresholdSparsifier const sparsifier{{.density = 0.05, .capacity = 8.0}, policy};
      weir::SharedThreshold const shared_by{communicator, sparsifier};
      SparseTraining training(shared_by, size);
      SparseTraining scaled(weir::LossScale{{.initial = 1.0}} | shared_by, size);
      sent[communicator.rank()] = training.step(gradient(communicator.rank()));
      sent_scaled[communicator.rank()] = scaled.step(gradient(communicator.rank()));
    });
    CHECK(sent[1] != Vector(size));
    for (std::size_t rank = 0; rank < 3; ++rank) CHECK(same_bits(sent_scaled[rank], sent[rank]));
  };
  check(weir::Exponential{});
  check(weir::Histogram{});
}

TEST_CASE("a rank that has no room for what a shared threshold selects sends as much as it has room for") {
  constexpr std::size_t size = 2000;
  auto const check = [&](auto const& policy, float scale) {
    CAPTURE(std::string(std::remove_cvref_t<decltype(policy)>::name));
    std::vector<Vector> sent(2);
    std::vector<weir::SparsifyStatistics> last(2);
    Vector whole = rough_gradient(size, 3);
    on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
      weir::ThresholdSparsifier const sparsifier{{.density = 0.05, .capacity = 1.5}, policy};
      SparseTraining training(weir::SharedThreshold{communicator, sparsifier}, size);
      Vector gradient = whole;
      if (communicator.rank() == 0)
        for (float& g : gradient) g *= scale;
      sent[communicator.rank()] = training.step(gradient);
      last[communicator.rank()] = training.bound().statistics(0);
    });
    CHECK(last[0].k_target == 100);
    CHECK(last[1].k_selected == 150);
    CHECK(last[1].overflow >= 48);
    weir_test::SparseBucket<float> one(weir::HostExecutor{}, size, {.density = 0.075});
    one.step(whole, weir::ExactTopK{});
    Vector expected(size);
    for (std::size_t i = 0; i < one.indices().size(); ++i) expected[one.indices()[i]] = one.values()[i];
    CHECK(sent[1] == expected);
  };
  check(weir::Histogram{}, 1e-6f);
  check(weir::ExactTopK{}, 1e-6f);
  check(weir::Exponential{}, 1e-2f);
}

TEST_CASE("ranks take the threshold of all, also where one by itself would not fit any") {
  Vector const large = rough_gradient(size_of_rank, 1);
  Vector small = rough_gradient(size_of_rank, 0);
  for (float& g : small) g *= 1e-6f;
  Vector few(size_of_rank);
  for (std::size_t i = 0; i < 60; ++i) few[31 * i] = small[31 * i];
  Vector const equal(size_of_rank, 1e-6f);
  Vector const nothing(size_of_rank);
  for (Vector const& other : {small, few, equal, nothing}) {
    auto const found = step_of({other, large});
    CHECK(found[0].status == weir::SparsifyStatus::selected);
    CHECK(found[0].k_selected == 0);
    CHECK(found[1].k_selected > 100);
    CHECK(found[0].threshold == found[1].threshold);
  }
}

TEST_CASE("what ranks have together decides whether there is anything to fit") {
  Vector some(size_of_rank);
  for (std::size_t i = 0; i < 120; ++i) some[16 * i] = i % 2 == 0 ? 3.0f : -2.0f;
  Vector few(size_of_rank);
  few[5] = 1e-3f;
  auto const all = step_of({some, few});  // as many as two shares
  CHECK(all[0].k_selected == 120);
  CHECK(all[1].k_selected == 1);
  CHECK(all[0].threshold == 0.0);
  CHECK(all[1].threshold == 0.0);

  Vector const equal(size_of_rank, -2.0f);
  Vector const nothing(size_of_rank);
  auto const ties = step_of({equal, nothing, equal});
  CHECK(ties[0].k_selected == 100);
  CHECK(ties[1].k_selected == 0);
  CHECK(ties[2].k_selected == 100);
  for (auto const& last : ties) CHECK(last.threshold == 2.0);

  auto const none = step_of({nothing, nothing});
  for (auto const& last : none) CHECK(last.k_selected == 0);
}

TEST_CASE("where the threshold of all is above everything, the largest of all is sent") {
  Vector const even(size_of_rank, 1.0f);
  Vector uneven = even;
  uneven[17] = -1.25f;
  uneven[34] = 1.25f;
  auto const found = step_of({even, uneven, even});
  for (auto const& last : found) CHECK(last.threshold == 1.25);
  CHECK(found[0].k_selected == 0);
  CHECK(found[1].k_selected == 1);
  CHECK(found[2].k_selected == 0);
}

TEST_CASE("a threshold that each rank would move by its own selection is not shared") {
  for (std::size_t const ranks : {std::size_t{2}, std::size_t{3}}) {
    on_ranks(ranks, [](weir::ThreadCommunicator const& communicator) {
      CHECK_THROWS_WITH_AS(
          shared(communicator, weir::ThresholdReuse{.interval = 8}),
          "SharedThreshold: the sparsifier has a ThresholdReuse, which would move each rank's threshold by "
          "what that rank selects: leave .reuse away, a shared threshold is fitted in each step anyway",
          weir::ContractViolation);
    });
  }
}
