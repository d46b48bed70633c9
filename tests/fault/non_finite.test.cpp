// A NaN or an infinity in one element of one worker's gradient, and what each stage makes of it.
#include "weir/gradient/non_finite.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/state/archive.hpp"

namespace {

using weir::GradAccumulator;
using weir::LocalAggregator;
using weir::NonFinite;
using weir::NonFinitePolicy;

constexpr float bad_values[] = {std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()};

weir::BucketPlan two_buckets() {
  return weir::BucketPlan::per_parameter({{.elements = 5}, {.elements = 70}});
}

/// A `TestModel` that spoils one element of one micro-batch.
struct SpoilingModel {
  TestModel<> clean{2};
  std::uint64_t step = 0;
  std::size_t micro_batch = 0;  // global
  std::size_t parameter = 0;
  std::size_t element = 0;
  float value = 0;

  template <class Micro>
  void operator()(Micro& micro) const {
    if (micro.step() != step || micro.global_index() != micro_batch) return clean(micro);
    // Not through `clean`, which would report the parameter before it is spoilt.
    Unreported<Micro> unreported{micro};
    clean(unreported);
    micro.gradient(parameter)[element] = value;
  }

  template <class Micro>
  struct Unreported {
    Micro& micro;
    auto const& samples() const { return micro.samples(); }
    auto weights(std::size_t p) const { return micro.weights(p); }
    template <class Element>
    auto gradient(std::size_t p) {
      return micro.template gradient<Element>(p);
    }
    bool accumulate(std::size_t p) const { return micro.accumulate(p); }
    auto loss_scale() const { return micro.loss_scale(); }
    void ready_parameter(std::size_t) {}
    void loss(double mean) { micro.loss(mean); }
  };
};

std::size_t count_non_finite(std::vector<float> const& values) {
  std::size_t count = 0;
  for (float value : values) count += std::isfinite(value) ? 0 : 1;
  return count;
}

/// Calls `f(model)` for every bad value at a choice of places.
template <class Function>
void for_each_fault(Function const& f) {
  struct Place {
    std::size_t parameter;
    std::size_t element;
  };
  for (float value : bad_values) {
    for (Place const& place : {Place{0, 0}, {0, 4}, {1, 0}, {1, 33}, {1, 69}}) {
      for (std::size_t micro_batch : {0u, 1u, 5u}) {
        CAPTURE(value);
        CAPTURE(place.parameter);
        CAPTURE(place.element);
        CAPTURE(micro_batch);
        f(SpoilingModel{.step = 1,
                        .micro_batch = micro_batch,
                        .parameter = place.parameter,
                        .element = place.element,
                        .value = value});
      }
    }
  }
}

/// The weights after `steps` steps of 3 workers with 2 micro-batches; `look(sync)` at the end.
template <class Recipe, class Model, class Look>
std::vector<float> train(Recipe const& rest, Model const& model, int steps, Look const& look) {
  weir::HostExecutor const executor;
  weir::StreamWorkerPool workers{executor, {.workers = 3, .buckets = two_buckets()}};
  auto weights = small_integers(75);
  auto sync = (GradAccumulator{2} | LocalAggregator{} | rest).on(workers, weir::view(weights));
  auto const samples = small_integers(6);
  for (int step = 0; step < steps; ++step) sync(workers(std::span<float const>(samples), model));
  sync.wait();
  look(sync);
  return weights;
}

template <class Recipe, class Model>
std::vector<float> train(Recipe const& rest, Model const& model, int steps) {
  return train(rest, model, steps, [](auto&) {});
}

}  // namespace

TEST_CASE("skip: the bucket counts as zero and is counted, everything else goes on") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  auto const clean = train(NonFinite{} | sgd, TestModel<>{2}, 1);
  for_each_fault([&](SpoilingModel const& model) {
    auto const weights = train(NonFinite{} | sgd, model, 2, [&](auto& sync) {
      std::size_t const bucket = 1 - model.parameter;
      CHECK(sync.template stage<NonFinite>().seen(bucket) == 1);
      CHECK(sync.template stage<NonFinite>().seen(1 - bucket) == 0);
    });
    auto const both = train(NonFinite{} | sgd, TestModel<>{2}, 2);
    // The spoilt parameter has taken one step, the other two.
    for (std::size_t i = 0; i < weights.size(); ++i) {
      bool const is_spoilt = (i < 5) == (model.parameter == 0);
      CHECK(weights[i] == (is_spoilt ? clean[i] : both[i]));
    }
  });
}

TEST_CASE("skip keeps momentum and moments finite") {
  for_each_fault([&](SpoilingModel const& model) {
    weir::Sgd const momentum{{.learning_rate = 0.125, .momentum = 0.5}};
    weir::AdamW const adamw{{.learning_rate = 0.125}};
    CHECK(count_non_finite(train(NonFinite{} | momentum, model, 4)) == 0);
    CHECK(count_non_finite(train(NonFinite{} | adamw, model, 4)) == 0);
    CHECK(count_non_finite(train(NonFinite{} | weir::Clip{{.max_norm = 1.0}} | adamw, model, 4)) == 0);
    CHECK(count_non_finite(
              train(NonFinite{} | weir::WeightSync{weir::WeightPolicy::overlap, momentum}, model, 4)) == 0);
  });
}

TEST_CASE("propagate: counted, and only that element is spoilt") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  auto const clean = train(sgd, TestModel<>{2}, 2);
  for_each_fault([&](SpoilingModel const& model) {
    auto const look = [&](auto& sync) {
      CHECK(sync.template stage<NonFinite>().seen(1 - model.parameter) == 1);
    };
    auto const weights = train(NonFinite{NonFinitePolicy::propagate} | sgd, model, 2, look);
    std::size_t const place = model.element + (model.parameter == 0 ? 0 : 5);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      CHECK(std::isfinite(weights[i]) == (i != place));
      if (i != place) CHECK(weights[i] == clean[i]);
    }
  });
}

TEST_CASE("error: the step fails with the bucket, the step and the number of elements") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  for_each_fault([&](SpoilingModel const& model) {
    try {
      train(NonFinite{NonFinitePolicy::error} | sgd, model, 2);
      FAIL("nothing was thrown");
    } catch (weir::NonFiniteGradient const& error) {
      std::string const bucket = std::to_string(1 - model.parameter);
      CHECK(std::string(error.what()) ==
            "1 elements are NaN or infinite (rank 0, stage non-finite, bucket " + bucket + ", step 1)");
    }
  });
}

TEST_CASE("LossScale: the step is skipped whole, the scale halved, and the moments stay as they are") {
  for_each_fault([&](SpoilingModel const& model) {
    weir::LossScale const loss_scale{{.initial = 1024.0}};
    auto const check = [&](auto const& optimizer) {
      std::vector<float> after_one;
      auto const weights = train(loss_scale | optimizer, model, 2, [&](auto& sync) {
        auto const state = sync.template stage<weir::LossScale>().state();
        CHECK(state.scale == 512.0);
        CHECK(state.skipped_steps == 1);
        weir::Archive archive;
        sync.save(archive);
        for (std::uint64_t bucket : {0u, 1u}) {
          for (char const* name : {"sgd.velocity", "adamw.first_moment", "adamw.second_moment"}) {
            if (!archive.contains(name, bucket)) continue;
            for (float value : archive.template get<float>(name, bucket)) CHECK(std::isfinite(value));
          }
        }
      });
      CHECK(weights == train(loss_scale | optimizer, TestModel<>{2}, 1));
      // The step after it counts as the second.
      CHECK(train(loss_scale | optimizer, model, 3) == train(loss_scale | optimizer, TestModel<>{2}, 2));
    };
    check(weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5, .weight_decay = 0.25}});
    check(weir::AdamW{{.learning_rate = 0.125}});
    check(weir::WeightSync{weir::WeightPolicy::sequential, weir::AdamW{{.learning_rate = 0.125}}});
    check(weir::Clip{{.max_norm = 1.0}} | weir::AdamW{{.learning_rate = 0.125}});
  });
}

TEST_CASE("Clip says that the norm was infinite, and no finite element moves") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  weir::Clip const clip{{.max_norm = 1e6}};
  auto const before = train(clip | sgd, TestModel<>{2}, 1);
  for_each_fault([&](SpoilingModel const& model) {
    auto const weights = train(clip | sgd, model, 2, [](auto& sync) {
      CHECK(sync.template stage<weir::Clip>().norm() == std::numeric_limits<double>::infinity());
    });
    std::size_t const place = model.element + (model.parameter == 0 ? 0 : 5);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      CHECK(std::isfinite(weights[i]) == (i != place));
      if (i != place) CHECK(weights[i] == before[i]);
    }
  });
}

TEST_CASE("a rank that skips contributes zero, the divisor stays, and the ranks agree") {
  auto const plan = two_buckets();
  for_each_fault([&](SpoilingModel const& model) {
    auto const group = weir::ThreadCommunicator::group(2);
    auto const recipe = [&](std::size_t rank) {
      return GradAccumulator{1} | LocalAggregator{} | NonFinite{} | weir::AllReduce{group[rank]} |
             weir::Sgd{{.learning_rate = 0.125}};
    };
    Ranks ranks(2, {.workers = 3, .buckets = plan}, recipe);
    auto const samples = small_integers(6);
    for (int step = 0; step < 2; ++step) ranks.step(samples, model);
    ranks.wait();
    CHECK(ranks[0].weights == ranks[1].weights);

    // By hand: step 0 with all samples; step 1 without those of the rank that was spoilt.
    std::size_t const spoilt_rank = model.micro_batch / 3;
    auto expected = small_integers(75);
    for (int step = 0; step < 2; ++step) {
      for (std::size_t i = 0; i < expected.size(); ++i) {
        std::size_t const parameter = i < 5 ? 0 : 1;
        float sum = 0;
        for (std::size_t u = 0; u < 6; ++u) {
          bool const is_left_out = step == 1 && parameter == model.parameter && u / 3 == spoilt_rank;
          if (!is_left_out) sum += samples[u] + static_cast<float>(parameter) - expected[i];
        }
        expected[i] -= 0.125f * (sum / 6.0f);
      }
    }
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(ranks[0].weights[i] == doctest::Approx(expected[i]).epsilon(1e-5));
    std::size_t const bucket = 1 - model.parameter;
    CHECK(ranks[spoilt_rank].sync.stage<NonFinite>().seen(bucket) == 1);
    CHECK(ranks[1 - spoilt_rank].sync.stage<NonFinite>().seen(bucket) == 0);
  });
}
