#include "weir/compress/sparsifier_archive.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/bits.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold_reuse.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using Vector = std::vector<float>;

constexpr std::size_t sizes[] = {300, 40, 500};

weir::BucketPlan plan() {
  return weir::BucketPlan({{sizes[0]}, {sizes[1]}, {sizes[2]}}, {{2}, {0, 1}});
}

/// Everything that there is to remember: the rule's scores, a threshold, momentum.
auto const remembering = weir::MomentumCorrection{
    weir::ThresholdSparsifier{{.density = 0.05, .reuse = weir::ThresholdReuse{.interval = 3}},
                              weir::Exponential{},
                              weir::AdaptiveStages<>{}},
    {.momentum = 0.9}};

auto const feedback = weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05}}};

template <class Training>
void train(Training& training, std::size_t first, std::size_t last, std::vector<Vector>* sent = nullptr) {
  for (std::size_t step = first; step < last; ++step) {
    Vector const now = training.step(rough_gradient(plan().elements(), step));
    if (sent != nullptr) sent->push_back(now);
  }
}

template <class Training>
std::string refusal(Training& training, weir::Archive const& archive, weir::LoadOptions options = {}) {
  try {
    training.sync().load(archive, options);
  } catch (weir::ArchiveError const& error) {
    return error.what();
  }
  return {};
}

}

TEST_CASE("after a restore the run goes on with the same bits") {
  SparseTraining whole(remembering, plan());
  std::vector<Vector> expected;
  train(whole, 0, 20, &expected);

  for (std::size_t stop : {7u, 12u}) {
    SparseTraining before(remembering, plan());
    train(before, 0, stop);
    SparseTraining after(remembering, plan());
    train(after, 0, 3);  // something to be overwritten
    after.sync().load(before.saved());
    std::vector<Vector> found;
    train(after, stop, 20, &found);
    for (std::size_t step = stop; step < 20; ++step) CHECK(same_bits(found[step - stop], expected[step]));
    for (std::size_t bucket = 0; bucket < 2; ++bucket) {
      CHECK(same_bits(after.residual(bucket), whole.residual(bucket)));
      CHECK(same_bits(after.momentum(bucket), whole.momentum(bucket)));
    }
  }
}

TEST_CASE("a first ratio that moves is the bucket's own, and goes on where it was") {
  weir::ErrorFeedback const moving{
      weir::ThresholdSparsifier{{.density = 0.005},
                                weir::Exponential{},
                                weir::AdaptiveStages<weir::StageRule::greedy>{.moves_first_ratio = true}},
      {.beta = 0.0}};
  weir::BucketPlan const two({{4000}, {4000}}, {{0}, {1}});
  // With beta 0 each step has its gradient alone. One stage suits the first bucket; of the second, whose tail
  // is heavy, it takes far too much.
  auto const gradient = [](std::size_t step) {
    Vector values(8000);
    for (std::size_t i = 0; i < 4000; ++i) {
      double const u = (static_cast<double>((i * 7 + step) % 4000) + 0.5) / 4000;
      double const x = -std::log(u);
      values[i] = static_cast<float>(x);
      values[4000 + i] = static_cast<float>(x * x * x * x);
    }
    return values;
  };
  SparseTraining whole(moving, two);
  std::vector<Vector> expected;
  for (std::size_t step = 0; step < 60; ++step) expected.push_back(whole.step(gradient(step)));
  CHECK(whole.bound().state(0).adaptation.first_ratio == 0.25);
  CHECK(whole.bound().state(0).adaptation.stages == 1);
  CHECK(whole.bound().state(1).adaptation.first_ratio < 0.25);

  SparseTraining before(moving, two);
  for (std::size_t step = 0; step < 33; ++step) before.step(gradient(step));
  CHECK(before.bound().state(1).adaptation.first_ratio != 0.25);
  SparseTraining after(moving, two);
  after.sync().load(before.saved());
  for (std::size_t step = 33; step < 60; ++step) CHECK(same_bits(after.step(gradient(step)), expected[step]));
  CHECK(after.bound().state(1).adaptation.first_ratio == whole.bound().state(1).adaptation.first_ratio);

  // What an archive knows of a ratio that moves says nothing to one that does not.
  SparseTraining fixed(
      weir::ErrorFeedback{
          weir::ThresholdSparsifier{
              {.density = 0.005}, weir::Exponential{}, weir::AdaptiveStages<weir::StageRule::greedy>{}},
          {.beta = 0.0}},
      two);
  CHECK(refusal(fixed, before.saved()).find("which moves the first ratio") != std::string::npos);
}

TEST_CASE("in other buckets each parameter has what was kept of it, and adaptation starts anew") {
  SparseTraining before(remembering, plan());
  train(before, 0, 12);
  CHECK(before.bound().state(0).adapted_size == 500);

  // Parameter 2 has its bucket to itself again, the others have not.
  weir::BucketPlan const rebuilt({{sizes[0]}, {sizes[1]}, {sizes[2]}}, {{1}, {2}, {0}});
  SparseTraining after(remembering, rebuilt);
  CHECK(refusal(after, before.saved()).find("the bucket plan differs: ") == 0);
  after.sync().load(before.saved(), {.same_buckets = false});
  auto const check_kept = [&](auto const& of) {
    Vector const joint = of(before, 1);
    CHECK(same_bits(of(after, 1), of(before, 0)));
    CHECK(same_bits(of(after, 2), Vector(joint.begin(), joint.begin() + sizes[0])));
    CHECK(same_bits(of(after, 0), Vector(joint.begin() + sizes[0], joint.end())));
  };
  weir::BucketPlan const other({{sizes[0]}, {sizes[2]}, {sizes[1]}}, {{1}, {2}, {0}});
  SparseTraining of_others(remembering, other);
  CHECK(refusal(of_others, before.saved(), {.same_buckets = false})
            .find("parameter 1 of the bucket plan differs") != std::string::npos);
  check_kept([](auto& training, std::size_t bucket) { return training.residual(bucket); });
  check_kept([](auto& training, std::size_t bucket) { return training.momentum(bucket); });
  CHECK(after.bound().state(1).adapted_size == 500);
  CHECK(after.bound().state(0).adapted_size == 0);

  // Where nothing but the vectors is carried from step to step, it goes on as those buckets would have from
  // them.
  SparseTraining source(feedback, plan());
  train(source, 0, 6);
  SparseTraining moved(feedback, rebuilt);
  moved.sync().load(source.saved(), {.same_buckets = false});
  Vector kept[3] = {moved.residual(0), moved.residual(1), moved.residual(2)};
  std::size_t const offsets[3] = {sizes[0], sizes[0] + sizes[1], 0};  // of the parameter of each bucket
  for (std::size_t step = 6; step < 9; ++step) {
    Vector const gradient = rough_gradient(plan().elements(), step);
    moved.step(gradient);
    for (std::size_t bucket = 0; bucket < 3; ++bucket) {
      std::size_t const size = kept[bucket].size();
      weir_test::SparseBucket<float> alone(weir::HostExecutor{}, size, {.density = 0.05, .feedback = true});
      alone.residual() = kept[bucket];
      auto const first = gradient.begin() + static_cast<std::ptrdiff_t>(offsets[bucket]);
      alone.step(Vector(first, first + static_cast<std::ptrdiff_t>(size)), weir::Histogram{});
      kept[bucket] = alone.residual();
      CHECK(same_bits(moved.residual(bucket), kept[bucket]));
      CHECK(moved.bound().statistics(bucket).k_selected == alone.last().k_selected);
    }
  }
}

TEST_CASE("what a rank had kept that is gone is added to that of another") {
  SparseTraining gone(feedback, plan());
  SparseTraining stays(feedback, plan());
  train(gone, 0, 3);
  train(stays, 5, 8);
  Vector expected = stays.residual(1);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += gone.residual(1)[i];
  stays.bound().absorb(gone.saved());
  CHECK(same_bits(stays.residual(1), expected));
}

TEST_CASE("a new rank takes the archive of another, and forgets what that one had kept") {
  SparseTraining old(remembering, plan());
  SparseTraining young(remembering, plan());
  train(old, 0, 3);
  young.sync().load(old.saved());
  young.bound().forget();
  for (std::size_t bucket = 0; bucket < 2; ++bucket) {
    Vector const zeros(plan()[bucket].size);
    CHECK(!same_bits(old.momentum(bucket), zeros));
    CHECK(same_bits(young.residual(bucket), zeros));
    CHECK(same_bits(young.momentum(bucket), zeros));
  }
}

TEST_CASE("a policy of another kind takes what was kept, and learns anew, unless loading is strict") {
  SparseTraining before(feedback, plan());
  train(before, 0, 4);
  weir::ErrorFeedback const other{weir::ThresholdSparsifier{{.density = 0.05}, weir::Exponential{}}};
  SparseTraining after(other, plan());
  CHECK(refusal(after, before.saved()) ==
        "the policy of sparsified buckets 0 to 1 differs: 'histogram, density 0.05' in the archive, "
        "'exponential, 1 stage, density 0.05' here; a load that is not strict starts their thresholds, "
        "adaptation and counters anew, and keeps what was not sent");
  CHECK(after.bound().state(0).step == 0);
  SparseTraining sparser(weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.04}}}, plan());
  CHECK(refusal(sparser, before.saved()).find("density 0.04' here") != std::string::npos);
  after.sync().load(before.saved(), {.strict = false});
  CHECK(same_bits(after.residual(0), before.residual(0)));
  CHECK(after.bound().state(0).adapted_size == 0);
}

TEST_CASE("an option that differs alone is named, also where little is between the two") {
  using Options = weir::ThresholdSparsifierOptions;
  weir::BucketPlan const few({{4}, {4}, {4}}, {{2}, {0, 1}});
  auto const refused = [&](auto const& stage, auto const& other) {
    SparseTraining saved(stage, few);
    SparseTraining here(other, few);
    CHECK_NOTHROW(here.sync().load(here.saved()));
    weir::Archive const archive = saved.saved();
    CHECK_NOTHROW(here.sync().load(archive, {.strict = false}));
    return refusal(here, archive);
  };
  auto const differs = [](std::string const& saved, std::string const& here) {
    return "the policy of sparsified buckets 0 to 1 differs: '" + saved + "' in the archive, '" + here +
           "' here; a load that is not strict starts their thresholds, adaptation and counters anew, and "
           "keeps "
           "what was not sent";
  };

  auto const check = [&](Options const& options, char const* text) {
    weir::ErrorFeedback const usual{weir::ThresholdSparsifier{Options{.density = 1e-7}}};
    CHECK(refused(usual, weir::ErrorFeedback{weir::ThresholdSparsifier{options}}) ==
          differs("histogram, density 1e-07", std::string("histogram, ") + text));
  };
  check({.density = 2e-7}, "density 2e-07");
  check({.density = 1e-7 * (1.0 + 0x1p-51)}, "density 1.0000000000000004e-07");
  check({.density = 1e-7, .densities = {0.25, 0.5}}, "densities 0.25 0.5");
  check({.density = 1e-7, .warmup = {.epochs = 2, .steps_per_epoch = 10}},
        "density 1e-07, warm-up of 2 in epochs of 10 steps");
  check({.density = 1e-7, .warmup = {.steps_per_epoch = 10, .densities = {0.5, 0.125}}},
        "density 1e-07, warm-up of 0.5 0.125 in epochs of 10 steps");
  check({.density = 1e-7, .reuse = weir::ThresholdReuse{.interval = 3}},
        "density 1e-07, reuse interval 3 and gain 0.02");
  check({.density = 1e-7, .reuse = weir::ThresholdReuse{.interval = 3, .gain = 1e-9}},
        "density 1e-07, reuse interval 3 and gain 1e-09");
  check({.density = 1e-7, .capacity = 3.5}, "density 1e-07, capacity 3.5");
  check({.density = 1e-7, .dense_below = 1}, "density 1e-07, dense below 1");
  check({.density = 1e-7, .precision = weir::ElementType::float16}, "density 1e-07, precision float16");
  check({.density = 1e-7, .precision = weir::ElementType::bfloat16}, "density 1e-07, precision bfloat16");

  auto const usual = weir::ThresholdSparsifier{Options{.density = 0.5}};
  using Feedback = weir::ErrorFeedback<weir::ThresholdSparsifier<>>;
  CHECK(refused(Feedback{usual}, Feedback{usual, {.beta = 0.9999999}}) ==
        differs("histogram, density 0.5", "histogram, density 0.5, beta 0.9999999"));
  CHECK(refused(Feedback{usual, {.gamma = 0.5}}, Feedback{usual}) ==
        differs("histogram, density 0.5, gamma 0.5", "histogram, density 0.5"));
  using Momentum = weir::MomentumCorrection<weir::ThresholdSparsifier<>>;
  std::string const with_momentum = "histogram, density 0.5, momentum 0.9";
  CHECK(refused(Momentum{usual}, Momentum{usual, {.momentum = 0.95}}) ==
        differs(with_momentum, "histogram, density 0.5, momentum 0.95"));
  CHECK(refused(Momentum{usual}, Momentum{usual, {.nesterov = true}}) ==
        differs(with_momentum, with_momentum + ", nesterov"));
  CHECK(refused(Momentum{usual}, Momentum{usual, {.masking = false}}) ==
        differs(with_momentum, with_momentum + ", not masked"));

  using Random = weir::ThresholdSparsifier<weir::RandomK>;
  CHECK(refused(Random{{.density = 0.5}, {}}, Random{{.density = 0.5}, {.is_unbiased = true}}) ==
        differs("random-k, density 0.5", "random-k, unbiased, density 0.5"));
}

TEST_CASE("what would be lost, and what is missing, is refused and names what it is") {
  SparseTraining with_momentum(remembering, plan());
  SparseTraining with_feedback(feedback, plan());
  SparseTraining forgetful(weir::ThresholdSparsifier{{.density = 0.05}}, plan());
  train(with_feedback, 0, 2);
  Vector const before = with_feedback.residual(0);
  CHECK(
      refusal(forgetful, with_feedback.saved()) ==
      "the archive holds 'error_feedback.residual' of parameter 2 in bucket 0, which this recipe would lose");
  CHECK(!refusal(with_momentum, with_feedback.saved()).empty());
  CHECK(!refusal(with_feedback, with_momentum.saved()).empty());
  CHECK(refusal(with_feedback, forgetful.saved()) ==
        "sparsified bucket 0: of parameter 2 the archive holds nothing as 'error_feedback.residual', 500 "
        "float32 would be right");

  SparseTraining seeded(weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05, .seed = 7}}}, plan());
  CHECK(refusal(seeded, with_feedback.saved()) ==
        "the seed of sparsified bucket 0 differs: 0 in the archive, 7 here");
  CHECK(same_bits(with_feedback.residual(0), before));
}

TEST_CASE("another version, and a state of another size, are refused") {
  weir::Archive other_version;
  other_version.put("sparsifier.version", 0, std::uint64_t{2});
  CHECK_THROWS_WITH_AS(weir::check_sparsifier_version(other_version, plan()),
                       "the version of sparsified buckets 0 to 1 differs: 2 in the archive, 1 here",
                       weir::ArchiveError);
  CHECK_THROWS_WITH_AS(weir::check_sparsifier_version(other_version, weir::BucketPlan::per_parameter({{7}})),
                       "the version of sparsified bucket 0 differs: 2 in the archive, 1 here",
                       weir::ArchiveError);

  weir::SparsifyConstants const constants{.bucket = 5};
  weir::Archive archive;
  weir::put_threshold_state(archive, constants, 100, {});
  CHECK_NOTHROW(weir::check_threshold_state(archive, constants, 100, 3, true));
  CHECK_THROWS_WITH_AS(weir::check_threshold_state(archive, constants, 101, 3, true),
                       "the size of sparsified bucket 3 differs: 100 in the archive, 101 here",
                       weir::ArchiveError);
  CHECK_THROWS_WITH_AS(weir::check_threshold_state(archive, {.bucket = 6}, 100, 3, true),
                       "the archive has no state of sparsified bucket 3", weir::ArchiveError);
  CHECK_NOTHROW(weir::check_threshold_state(archive, {.bucket = 6}, 100, 3, false));
}

TEST_CASE("what was kept in another type, or of another size, is refused by bucket") {
  char const* const name = "error_feedback.residual";
  auto const check = [&]<class Real>(Real, std::size_t size, auto element) {
    weir::Archive archive;
    archive.put(name, 0, std::vector<decltype(element)>(sizes[0]));
    archive.put(name, 1, std::vector<decltype(element)>(size));
    weir::check_by_parameter<Real>(archive, name, plan(), 1);
  };
  CHECK_NOTHROW(check(0.0f, sizes[1], 0.0f));
  CHECK_NOTHROW(check(0.0, sizes[1], 0.0));
  CHECK_THROWS_WITH_AS(check(0.0, sizes[1], 0.0f),
                       "sparsified bucket 1: of parameter 0 the archive holds 300 float32 as "
                       "'error_feedback.residual', 300 float64 would be right",
                       weir::ArchiveError);
  CHECK_THROWS_WITH_AS(check(0.0f, sizes[1], 0.0),
                       "sparsified bucket 1: of parameter 0 the archive holds 300 float64 as "
                       "'error_feedback.residual', 300 float32 would be right",
                       weir::ArchiveError);
  CHECK_THROWS_WITH_AS(check(0.0f, sizes[1] + 1, 0.0f),
                       "sparsified bucket 1: of parameter 1 the archive holds 41 float32 as "
                       "'error_feedback.residual', 40 float32 would be right",
                       weir::ArchiveError);
  CHECK_THROWS_WITH_AS(check(0.0f, sizes[1], 1),
                       "sparsified bucket 1: of parameter 0 the archive holds no floating-point numbers as "
                       "'error_feedback.residual', 300 float32 would be right",
                       weir::ArchiveError);

  // Beside the rest of another run.
  SparseTraining here(feedback, plan());
  constexpr auto type = weir::ElementType::float64;
  weir::BucketPlan const wide({{sizes[0], type}, {sizes[1], type}, {sizes[2], type}}, {{2}, {0, 1}});
  SparseTraining<std::remove_const_t<decltype(feedback)>, double> doubles(feedback, wide);
  std::string absorbed;
  try {
    here.bound().absorb(doubles.saved());
  } catch (weir::ArchiveError const& error) {
    absorbed = error.what();
  }
  CHECK(absorbed ==
        "sparsified bucket 0: of parameter 2 the archive holds 500 float64 as 'error_feedback.residual', 500 "
        "float32 would be right");
}

TEST_CASE("every word of a state comes back") {
  weir::ThresholdState state{.density = 0.25,
                             .adapted_density = 0.125,
                             .adapted_size = 77,
                             .adaptation = {.stages = 5,
                                            .direction = -1,
                                            .last_mean = 1.5,
                                            .window_sum = 2.5,
                                            .window_calls = 3,
                                            .fruitless_moves = 4,
                                            .ratio_direction = 1,
                                            .first_ratio = 0.3,
                                            .tried = {6, 1}},
                             .reused_threshold = 0.75,
                             .reuse_age = 8,
                             .has_reusable = 1,
                             .quality_sum = 9.5,
                             .quality_calls = 10,
                             .collapsed = 1,
                             .step = 11,
                             .non_finite_steps = 12,
                             .overflow = 13};
  for (std::size_t i = 0; i <= weir::most_stages; ++i) state.adaptation.score[i] = static_cast<double>(i) / 4;
  weir::SparsifyConstants const constants{.bucket = 5};
  weir::Archive archive;
  weir::put_threshold_state(archive, constants, 100, state);
  weir::ThresholdState restored;
  weir::get_threshold_state(archive, constants, restored);
  weir::Archive again;
  weir::put_threshold_state(again, constants, 100, restored);
  CHECK(again.bytes() == archive.bytes());
  CHECK(restored.adaptation.direction == -1);
  CHECK(restored.adaptation.ratio_direction == 1);
  CHECK(restored.adaptation.score[64] == 16.0);
  CHECK(restored.overflow == 13);
}

TEST_CASE("a number of stages that no state has is refused") {
  weir::SparsifyConstants const constants{.bucket = 5};
  for (std::uint32_t stages : {0u, weir::most_stages + 1}) {
    weir::Archive archive;
    weir::put_threshold_state(archive, constants, 100, {.adaptation = {.stages = stages}});
    CHECK_THROWS_WITH_AS(weir::check_threshold_state(archive, constants, 100, 2, true),
                         ("sparsified bucket 2 has " + std::to_string(stages) +
                          " stages in the archive, 1 to 64 would be right")
                             .c_str(),
                         weir::ArchiveError);
  }
}

TEST_CASE("an optimizer that keeps its moments by bucket does not take other buckets") {
  auto const archive_of = [](weir::BucketPlan const& of, weir::Archive const* saved) {
    weir::HostExecutor const executor;
    Vector weights(of.elements());
    weir::StreamWorkerPool pool{executor, {.buckets = of}};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.momentum = 0.5}}).on(pool, weir::view(weights));
    if (saved != nullptr) sync.load(*saved, {.same_buckets = false});
    weir::Archive archive;
    sync.save(archive);
    return archive;
  };
  weir::Archive const saved = archive_of(weir::BucketPlan({{3}, {3}}, {{0}, {1}}), nullptr);
  CHECK_NOTHROW(archive_of(weir::BucketPlan({{3}, {3}}, {{0}, {1}}), &saved));
  CHECK_THROWS_WITH_AS(archive_of(weir::BucketPlan({{3}, {3}}, {{1}, {0}}), &saved),
                       "the optimizer keeps its moments by bucket, and the buckets differ",
                       weir::ArchiveError);
}
