#include "weir/stage/stage_chain.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "support/bound_context.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

using E = weir::HostExecutor;
using Log = std::vector<std::string>;

/// Stages that write down what happens to them. Their names are single letters.
template <class Consumes, class Produces, char letter, bool holds = false>
struct Noting {
  using consumes = Consumes;
  using produces = Produces;
  static constexpr char name[] = {letter, '\0'};
  static constexpr bool needs_all_buckets = holds;
  Log* log;

  struct Bound {
    Log* log;

    void note(std::string const& text) const { log->push_back(std::string(1, letter) + text); }
    void prepare(weir::DenseGradient<E>& gradient) { note(" prepare " + std::to_string(gradient.bucket)); }
    void decide(E const&, weir::StepInfo const&) { note(" decide"); }

    template <class Value>
    Value operator()(Value const& value) const requires(!std::same_as<Produces, weir::Applied>) {
      note(" " + std::to_string(value.bucket));
      return value;
    }
    template <class Value>
    weir::AppliedGradient<E> operator()(Value const& value) const
        requires(std::same_as<Produces, weir::Applied>) {
      note(" " + std::to_string(value.bucket));
      return {value.executor, value.bucket, value.step};
    }
  };
  auto on(weir::RecipeContext<E> const&) const { return Bound{log}; }
};

template <char letter>
using OnWorker = Noting<weir::PerWorker, weir::PerWorker, letter>;
template <char letter>
using Pass = Noting<weir::Dense, weir::Dense, letter>;
template <char letter>
using Hold = Noting<weir::Dense, weir::Dense, letter, true>;
using Apply = Noting<weir::Dense, weir::Applied, 'z'>;

/// An optimizer that can put off an update, and a stage that takes such updates.
struct Deferring {
  using consumes = weir::Dense;
  using produces = weir::Applied;
  Log* log;

  struct Bound {
    Log* log;
    weir::AppliedGradient<E> operator()(weir::DenseGradient<E> const& gradient) const {
      log->push_back("update " + std::to_string(gradient.bucket));
      return {gradient.executor, gradient.bucket, gradient.step};
    }
    weir::AppliedGradient<E> defer(weir::DenseGradient<E> const& gradient) {
      log->push_back("defer " + std::to_string(gradient.bucket));
      auto const enqueue = [](void* self, weir::WeightCopies const& copies) {
        bool const copied = copies.by_parameter != nullptr;
        static_cast<Bound*>(self)->log->push_back(copied ? "update and copy" : "update");
        return copied;
      };
      return {gradient.executor, gradient.bucket, gradient.step, {this, enqueue}};
    }
  };
  auto on(weir::RecipeContext<E> const&) const { return Bound{log}; }
};

struct Taking {
  using consumes = weir::Applied;
  using produces = weir::Applied;
  static constexpr bool takes_pending_update = true;
  Log* log;
  void* const* copies;

  struct Bound {
    Log* log;
    void* const* copies;
    weir::AppliedGradient<E> operator()(weir::AppliedGradient<E> applied) const {
      bool const copied = applied.materialise({.by_parameter = copies});
      log->push_back(copied ? "copied" : "not copied");
      CHECK_FALSE(applied.materialise({.by_parameter = copies}));  // once only
      return applied;
    }
  };
  auto on(weir::RecipeContext<E> const&) const { return Bound{log, copies}; }
};

struct HoldBackBucket1 {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  auto on(weir::BucketContext<E> const& context) const {
    return [bucket = context.bucket](
               weir::DenseGradient<E> const& gradient) -> std::optional<weir::DenseGradient<E>> {
      if (bucket == 1) return std::nullopt;
      return gradient;
    };
  }
};

template <class... Stages>
struct Chain {
  explicit Chain(Stages const&... stages)
      : chain(std::tuple<Stages...>(stages...), fixture.context(), &spans, 7) {}

  void give(std::size_t bucket) {
    weir::WorkerShare<E> const shares[] = {{view(0), 1, 1.0}, {view(1), 2, 1.0}};
    chain.on_device({fixture.stream, shares, bucket, 3, {.number = 5, .samples = 3}});
  }
  weir::TensorView<float, weir::HostSpace> view(std::size_t i) { return {&values[i], 1}; }

  struct Spans : weir::SpanSink {
    std::vector<weir::Span> all;
    void record(weir::Span const& span) noexcept override { all.push_back(span); }
  };

  BoundContext fixture;
  float values[2] = {1.0f, 2.0f};
  Spans spans;
  weir::StageChain<E, float, Stages...> chain;
};

}

TEST_CASE("a bucket runs through the stages after the join, a worker's gradient through those before it") {
  Log log;
  Chain chain(OnWorker<'a'>{&log}, OnWorker<'b'>{&log}, weir::LocalAggregator{}, Pass<'c'>{&log},
              Apply{&log});
  auto const passed = chain.chain.on_worker(BoundContext::report(chain.fixture.home, chain.values, 1, 0));
  CHECK(passed);
  CHECK(log == Log{"a 1", "b 1"});
  log.clear();
  chain.give(0);
  CHECK(log == Log{"c 0", "z 0"});
  chain.give(1);
  CHECK(log == Log{"c 0", "z 0", "c 1", "z 1"});
  chain.chain.release(chain.fixture.stream, {});
  CHECK(log.size() == 4);
  CHECK(chain.chain.end_step());
  CHECK_FALSE(chain.chain.end_step());
}

TEST_CASE("stages that need all buckets hold them, decide once, and let them go in bucket order") {
  Log log;
  Chain chain(weir::LocalAggregator{}, Pass<'a'>{&log}, Hold<'b'>{&log}, Pass<'c'>{&log}, Hold<'d'>{&log},
              Apply{&log});
  chain.give(0);
  chain.give(1);
  CHECK(log == Log{"a 0", "b prepare 0", "a 1", "b prepare 1"});
  log.clear();
  chain.chain.release(chain.fixture.stream, {});
  CHECK(log == Log{"b decide", "b 0", "c 0", "d prepare 0", "b 1", "c 1", "d prepare 1", "d decide", "d 0",
                   "z 0", "d 1", "z 1"});
  CHECK(chain.chain.end_step());
}

TEST_CASE("what is held when a step fails is forgotten") {
  Log log;
  Chain chain(weir::LocalAggregator{}, Hold<'a'>{&log}, Apply{&log});
  chain.give(0);
  CHECK_FALSE(chain.chain.end_step());  // nothing was applied
  log.clear();
  chain.give(1);
  chain.chain.release(chain.fixture.stream, {});
  CHECK(log == Log{"a prepare 1", "a decide", "a 1", "z 1"});
}

TEST_CASE("a bucket that a stage holds back goes no further") {
  Log log;
  Chain chain(weir::LocalAggregator{}, HoldBackBucket1{}, Hold<'a'>{&log}, Apply{&log});
  chain.give(0);
  chain.give(1);
  chain.chain.release(chain.fixture.stream, {});
  CHECK(log == Log{"a prepare 0", "a decide", "a 0", "z 0"});
}

TEST_CASE("each stage after the join is recorded with rank, bucket, step and times") {
  Log log;
  Chain chain(weir::LocalAggregator{}, Pass<'a'>{&log}, Apply{&log});
  chain.give(1);
  REQUIRE(chain.spans.all.size() == 3);
  char const* const names[] = {"aggregate", "a", "z"};
  for (std::size_t i = 0; i < 3; ++i) {
    weir::Span const& span = chain.spans.all[i];
    CHECK(std::string(span.name) == names[i]);
    CHECK(span.rank == 7);
    CHECK(span.lane == weir::Span::reduce_lane);
    CHECK(span.bucket == 1);
    CHECK(span.step == 5);
    CHECK(span.begin <= span.end);
    if (i != 0) CHECK(span.begin >= chain.spans.all[i - 1].end);
  }
}

TEST_CASE("a chain is described by its stages' names and options") {
  std::tuple const stages{weir::LocalAggregator{weir::SumScale{}, weir::ScaleTime::before_sum},
                          Pass<'x'>{nullptr}, HoldBackBucket1{},
                          weir::Clip{{.max_norm = 0.5, .per_bucket = true}},
                          weir::WeightSync{weir::WeightPolicy::overlap, weir::Sgd{{.momentum = 0.5}}}};
  auto const text = [](auto const&... stage) {
    return weir::StageChain<E, float, std::remove_cvref_t<decltype(stage)>...>::description({stage...});
  };
  CHECK(std::apply(text, stages) ==
        "aggregate (sum, before the sum) | x | stage | clip (norm 0.500000 per bucket) | "
        "update (overlap, sgd, momentum 0.500000, weight decay 0.000000)");
}

TEST_CASE("an update is put off only for a stage that takes it, which then enqueues both") {
  Log log;
  void* const copies[1] = {};
  Chain taken(weir::LocalAggregator{}, Deferring{&log}, Taking{&log, copies});
  taken.give(1);
  CHECK(log == Log{"defer 1", "update and copy", "copied"});
  CHECK(taken.chain.end_step());

  log.clear();
  Chain without_copies(weir::LocalAggregator{}, Deferring{&log}, Taking{&log, nullptr});
  without_copies.give(0);
  CHECK(log == Log{"defer 0", "update", "not copied"});

  log.clear();
  using Look = Noting<weir::Applied, weir::Applied, 'l'>;
  Chain looked_at(weir::LocalAggregator{}, Deferring{&log}, Look{&log}, Taking{&log, copies});
  looked_at.give(0);
  CHECK(log == Log{"update 0", "l 0", "not copied"});

  log.clear();
  Chain last(weir::LocalAggregator{}, Deferring{&log});
  last.give(0);
  CHECK(log == Log{"update 0"});
}
