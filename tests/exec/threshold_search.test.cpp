#include "weir/exec/threshold_search.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

namespace {

struct Mean {
  static constexpr char const* name = "mean";
  double fit(weir::TailStatistics const& tail, double) const { return tail.mean(); }
  double fit_excess(weir::TailStatistics const& tail, double ratio) const { return tail.mean() * ratio; }
};
struct NotANumber {
  static constexpr char const* name = "not a number";
  double fit(weir::TailStatistics const&, double) const { return std::numeric_limits<double>::quiet_NaN(); }
};
struct Exact {
  static constexpr char const* name = "exact";
  static constexpr bool is_exact = true;
  std::uint64_t tolerance(std::uint64_t) const { return 0; }
};

using weir::SearchTask;

// A search lies in the executor's memory.
static_assert(std::is_trivially_copyable_v<weir::ThresholdSearch<Mean, float>>);

weir::TailStatistics tail_of(std::uint64_t participants) {
  return {.participants = participants,
          .smallest = 0.5,
          .largest = 4.0,
          .sum = static_cast<double>(participants),
          .squared_deviations = 1.0};
}

template <class Policy>
struct Case {
  explicit Case(double density, std::uint64_t capacity = 1000) : capacity_(capacity) {
    state.density = density;
  }

  void start(weir::TailStatistics const& tail, bool has_moments = true) {
    search.start(Policy{}, constants, state, 1000, capacity_, tail, tail, 1, false, has_moments);
  }
  void finish() { search.finish(constants, state); }

  weir::SparsifyConstants constants;
  weir::ThresholdState state;
  weir::ThresholdSearch<Policy, float> search;

 private:
  std::uint64_t capacity_;
};

}  // namespace

TEST_CASE("one stage: fit, select, finish") {
  Case<Mean> one(0.1);
  one.start(tail_of(1000));
  CHECK(one.search.task == SearchTask::select);
  CHECK(one.search.cut.threshold == 1.0f);
  one.search.resume_select(Mean{}, 120);
  CHECK(one.search.task == SearchTask::finish);
  CHECK(one.search.counts().count == 120);
  one.finish();
  CHECK(one.state.last.k_target == 100);
  CHECK(one.state.last.quality == 1.2);
  CHECK(one.state.last.stages == 1);
  CHECK(one.state.step == 1);
  CHECK(one.state.side == 1);
}

TEST_CASE("stages go on from the base, and end where there is nothing to fit") {
  Case<Mean> staged(0.01);
  staged.constants.stages.stages = 3;
  staged.start(tail_of(1000));
  CHECK(staged.search.task == SearchTask::excess);
  CHECK(staged.search.base == 1.0);
  staged.search.resume_excess(
      Mean{},
      {.participants = 250, .smallest = 0.1, .largest = 3.0, .sum = 250.0, .squared_deviations = 9.0});
  CHECK(staged.search.task == SearchTask::excess);
  CHECK(staged.search.base == doctest::Approx(1.2));
  staged.search.resume_excess(Mean{}, {.participants = 5, .smallest = 0.1, .largest = 0.1, .sum = 0.5});
  CHECK(staged.search.task == SearchTask::select);
  staged.search.resume_select(Mean{}, 10);
  staged.finish();
  CHECK(staged.state.last.stages == 2);
  CHECK(staged.state.last.threshold == doctest::Approx(1.2));
}

TEST_CASE("an empty selection becomes one slot, also where the policy gives no number") {
  Case<NotANumber> nothing(0.1);
  nothing.start(tail_of(1000));
  nothing.search.resume_select(NotANumber{}, 0);
  CHECK(nothing.search.task == SearchTask::select);
  CHECK(nothing.search.cut.threshold == 4.0f);
  CHECK(nothing.search.cut.ties == 1);
  nothing.search.resume_select(NotANumber{}, 1);
  nothing.finish();
  CHECK(nothing.state.last.k_selected == 1);
}

TEST_CASE("beyond the capacity the largest are looked for") {
  Case<Mean> full(0.1, 150);
  full.start(tail_of(1000));
  full.search.resume_select(Mean{}, 200);
  CHECK(full.search.task == SearchTask::rank);
  CHECK(full.search.query.rank == 100);
  while (full.search.task == SearchTask::rank) {
    full.search.resume_rank({0x3f80'0000u >> full.search.query.shift, 0, 200});
  }
  CHECK(full.search.cut.threshold == 1.0f);
  CHECK(full.search.cut.ties == 100);
  full.search.resume_select(Mean{}, 100);
  full.finish();
  CHECK(full.state.last.overflow == 100);
  CHECK(full.search.counts().wanted == 200);
}

TEST_CASE("moments that are missing are asked for only where they are needed") {
  Case<Mean> fitted(0.1);
  fitted.start(tail_of(1000), false);
  CHECK(fitted.search.task == SearchTask::moments);
  fitted.search.resume_moments(Mean{}, tail_of(1000));
  CHECK(fitted.search.task == SearchTask::select);
  Case<Exact> ranked(0.1);
  ranked.start(tail_of(1000), false);
  CHECK(ranked.search.task == SearchTask::rank);
}

TEST_CASE("adaptation and collapse learn from steps that estimated, not from degenerate ones") {
  Case<Mean> fixed(0.1);
  fixed.start(tail_of(100));
  CHECK(fixed.search.task == SearchTask::select);
  CHECK(fixed.search.cut.threshold == 0.0f);
  fixed.search.resume_select(Mean{}, 100);
  fixed.finish();
  CHECK(fixed.state.quality_calls == 0);
  fixed.start(tail_of(1000));
  fixed.search.resume_select(Mean{}, 100);
  fixed.finish();
  CHECK(fixed.state.quality_calls == 1);
  fixed.search.start(Mean{}, fixed.constants, fixed.state, 1000, 1000, tail_of(1000), tail_of(1500), 2,
                     false);
  fixed.search.resume_select(Mean{}, 3);
  fixed.finish();
  CHECK(fixed.state.quality_calls == 1);

  Case<Mean> adaptive(0.1);
  adaptive.constants.stages.count = weir::StageCount::adaptive;
  for (int call = 0; call < 5; ++call) {
    adaptive.start(tail_of(1000));
    adaptive.search.resume_select(Mean{}, 30);
    adaptive.finish();
  }
  CHECK(adaptive.state.adaptation.stages == 2);
  adaptive.start(tail_of(1000));
  CHECK(adaptive.search.task == SearchTask::excess);
}

TEST_CASE(
    "a rank with more that is not finite than its share goes by the shared threshold, and learns nothing") {
  weir::SparsifyConstants constants;
  constants.non_finite = weir::NonFinitePolicy::propagate;
  weir::ThresholdState state;
  state.density = 0.1;
  weir::ThresholdSearch<Mean, float> search;
  weir::TailStatistics own = tail_of(700);
  own.non_finite = 110;
  weir::TailStatistics shared = tail_of(1500);
  shared.non_finite = 110;
  search.start(Mean{}, constants, state, 1000, 1000, own, shared, 2, false);
  CHECK(search.task == SearchTask::select);
  CHECK(search.cut.threshold == 1.0f);
  CHECK(search.cut.non_finite == 110);
  search.resume_select(Mean{}, 40);
  CHECK(search.task == SearchTask::finish);
  CHECK(search.counts().count == 150);
  search.finish(constants, state);
  CHECK(state.quality_calls == 0);
}

TEST_CASE("a threshold is rounded to the accumulator's type, to infinity beyond its largest number") {
  using Search = weir::ThresholdSearch<Mean, float>;
  CHECK(Search::rounded(0.1) == 0.1f);
  CHECK(Search::rounded(-1.0) == 0.0f);
  CHECK(Search::rounded(1e39) == std::numeric_limits<float>::infinity());
  CHECK(Search::rounded(3.4e38) == 3.4e38f);
}
