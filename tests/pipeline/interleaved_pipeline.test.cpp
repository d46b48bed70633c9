#include "weir/pipeline/interleaved_pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/all_schedules.hpp"
#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/scale.hpp"
#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/schedule_trace.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/trace_difference.hpp"

using staged::train_one;
using staged::train_pipeline;

TEST_CASE("every synchronous schedule of one direction gives the bits of one worker, in double") {
  staged::check_all_schedules<double>();
}

namespace {

template <class Real>
void check_two_directions(std::uint32_t p, std::uint32_t m, std::vector<std::size_t> const& layers) {
  auto const data = staged::samples(32);
  for (char const* const name : {"chimera", "dualpipe"}) {
    weir::ScheduleShape const shape{.workers = p, .micro_batches = m};
    if (weir::find_schedule(name)->refusal(shape)) continue;
    auto const table = staged::make_table(name, shape);
    // One worker of the reference takes the micro-batches of each direction.
    std::vector<staged::Sample> sorted;
    for (weir::Direction const direction : {weir::Direction::forward, weir::Direction::reverse}) {
      for (std::uint32_t j = 0; j < m; ++j) {
        for (weir::Operation const& operation : table.operations()) {
          if (operation.stage != 0 || operation.micro_batch != j || operation.direction != direction ||
              !weir::is_forward(operation))
            continue;
          sorted.insert(sorted.end(), data.begin() + 2 * j, data.begin() + 2 * j + 2);
        }
      }
    }
    staged::Stages<Real> const stages(layers);
    auto const weights = train_pipeline<Real>(table, stages, staged::Batch(data).first(2 * m), 5,
                                              weir::PipelineOptions{.local_batch = 2});
    CAPTURE(name);
    CAPTURE(p);
    CHECK(same_bits(weights, train_one<Real>(stages.total, sorted, 2, m, false, 2)));
  }
}

}  // namespace

TEST_CASE("a schedule of two directions gives the bits of two partial sums, the forward one first") {
  for (std::uint32_t p : {2u, 4u}) {
    for (std::uint32_t m : {2u, p, 2 * p}) {
      check_two_directions<double>(p, m, std::vector<std::size_t>(p, 1));
      check_two_directions<float>(p, m, std::vector<std::size_t>(p, 1));
    }
  }
  for (std::vector<std::size_t> const& layers :
       std::vector<std::vector<std::size_t>>{{2, 1, 1, 0}, {1, 0, 0, 3}, {0, 2, 2, 0}, {0, 0, 0, 4}}) {
    check_two_directions<double>(4, 8, layers);
    check_two_directions<float>(4, 8, layers);
  }
}

TEST_CASE("uneven and empty stages, wherever they are, change nothing") {
  auto const data = staged::samples(12);
  auto const expected = train_one<double>(4, data, 2, 6);
  for (std::vector<std::size_t> const& layers : std::vector<std::vector<std::size_t>>{
           {2, 1, 1, 0}, {1, 0, 0, 3}, {2, 0, 1, 1}, {0, 2, 2, 0}, {0, 0, 0, 4}, {4, 0, 0, 0}}) {
    for (auto const& table : {staged::make_table("1f1b", {.workers = 4, .micro_batches = 6}),
                              staged::make_table("zb-h1", {.workers = 4, .micro_batches = 6}),
                              staged::make_table("interleaved-1f1b", {.workers = 2, .micro_batches = 6})}) {
      staged::Stages<double> const stages(layers);
      CHECK(same_bits(train_pipeline<double>(table, stages, data, 5, weir::PipelineOptions{.local_batch = 2}),
                      expected));
    }
  }
}

TEST_CASE("recomputing, always or in all stages but the last, gives the same bits with dropout") {
  auto const data = staged::samples(12);
  auto const expected = train_one<double>(4, data, 2, 6, true);
  for (char const* const name : {"gpipe", "1f1b", "zb-h2", "zb-v", "interleaved-1f1b"}) {
    bool const has_chunks = weir::find_schedule(name)->traits.chunks != 1;
    auto const table = staged::make_table(name, {.workers = has_chunks ? 2u : 4u, .micro_batches = 6});
    staged::Stages<double> const stages({1, 1, 1, 1}, true);
    for (auto const recompute :
         {weir::Recompute::never, weir::Recompute::always, weir::Recompute::except_last}) {
      CHECK(same_bits(train_pipeline<double>(table, stages, data, 5,
                                             weir::PipelineOptions{.local_batch = 2, .recompute = recompute}),
                      expected));
    }
  }
}

TEST_CASE("recomputing gives the same bits with dropout where micro-batches go in two directions") {
  for (char const* const name : {"chimera", "dualpipe"}) {
    for (std::uint32_t const p : {2u, 4u}) {
      for (std::uint32_t const m : {p, 2 * p}) {
        weir::ScheduleShape const shape{.workers = p, .micro_batches = m};
        if (weir::find_schedule(name)->refusal(shape)) continue;
        CAPTURE(name);
        CAPTURE(p);
        CAPTURE(m);
        auto const table = staged::make_table(name, shape);
        auto const data = staged::samples(2 * m);
        auto const train = [&](weir::Recompute recompute, bool has_dropout) {
          staged::Stages<double> const stages(std::vector<std::size_t>(p, 1), has_dropout);
          return train_pipeline<double>(table, stages, data, 5,
                                        weir::PipelineOptions{.local_batch = 2, .recompute = recompute});
        };
        auto const kept = train(weir::Recompute::never, true);
        CHECK(same_bits(train(weir::Recompute::always, true), kept));
        CHECK(same_bits(train(weir::Recompute::except_last, true), kept));
        CHECK(!same_bits(train(weir::Recompute::never, false), kept));
        // The first half of the micro-batches goes forward, except in several units of Chimera.
        if (m == p || name == std::string("dualpipe"))
          CHECK(same_bits(train_one<double>(p, data, 2, m, true, 2), kept));
      }
    }
  }
}

namespace {

/// The same samples in flushes of so many micro-batches.
template <class Scale>
std::vector<double> train_in_flushes(char const* schedule, std::uint32_t p, std::uint32_t m,
                                     std::size_t flushes, staged::Batch data, Scale const& scale,
                                     weir::Sgd const& optimizer) {
  auto const table = staged::make_table(schedule, {.workers = p, .micro_batches = m});
  staged::Stages<double> const stages(std::vector<std::size_t>(table.properties().stages, 1), true);
  std::vector<double> weights = staged::initial_weights<double>(stages.total);
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      executor,
      table,
      {.stages = stages.layouts, .local_batch = 2, .seed = 9, .flushes_per_update = flushes}};
  auto sync = (weir::LocalAggregator{scale} | optimizer).on(pipe, weir::view(weights));
  std::size_t const samples = 2 * std::size_t{m};
  for (std::size_t flush = 0; flush < 3 * flushes; ++flush) {
    std::size_t const begin = flush % flushes * samples;
    sync(pipe(data.subspan(begin, std::min(samples, data.size() - begin)), stages.list));
  }
  sync.drain();
  CHECK(sync.updates() == std::vector<std::uint64_t>(table.properties().stages, 3));
  return weights;
}

/// A flushes of M micro-batches against one worker that has A * M of them at once.
template <class Scale>
void check_outer_accumulation(Scale const& scale) {
  weir::Sgd const optimizer{{.learning_rate = 0.1, .momentum = 0.5}};
  for (char const* const schedule : {"gpipe", "1f1b", "interleaved-1f1b", "zb-h2"}) {
    for (std::uint32_t const m : {1u, 4u}) {
      for (std::size_t const flushes : {1u, 2u, 3u}) {
        CAPTURE(schedule);
        CAPTURE(m);
        CAPTURE(flushes);
        std::size_t const layers = schedule == std::string("interleaved-1f1b") ? 4 : 2;
        std::size_t const all = flushes * m;
        // The last micro-batch of all is smaller: micro-batches are not samples.
        auto const data = staged::samples(2 * all - 1);
        auto const whole = staged::train_whole<double>(layers, data, 2, all, 3, optimizer, true, 1, scale);
        CHECK(same_bits(train_in_flushes(schedule, 2, m, flushes, data, scale, optimizer), whole));
        if (flushes == 1) continue;
        auto const at_once =
            train_in_flushes(schedule, 2, static_cast<std::uint32_t>(all), 1, data, scale, optimizer);
        CHECK(same_bits(at_once, whole));
      }
    }
  }
}

/// A user's own.
struct TwoThirds {
  double factor(weir::StepInfo const&) const { return 2.0 / 3.0; }
};

}  // namespace

TEST_CASE("gradients over several flushes are those of one flush of all: sum, means, and a user's scale") {
  check_outer_accumulation(weir::SumScale{});
  check_outer_accumulation(weir::MeanOverSamples{});
  check_outer_accumulation(weir::MeanOverMicroBatches{});
  check_outer_accumulation(TwoThirds{});
}

TEST_CASE("the sum is the mean times the number that this divides by") {
  auto const data = staged::samples(16);
  auto const train = [&](staged::Batch batch, double rate, auto const& scale) {
    return train_in_flushes("1f1b", 2, 4, 2, batch, scale, weir::Sgd{{.learning_rate = rate}});
  };
  // Eight micro-batches of two samples each: a power of two, by which nothing is rounded otherwise.
  auto const sum = train(data, 0.0125, weir::SumScale{});
  CHECK(same_bits(train(data, 8 * 0.0125, weir::MeanOverMicroBatches{}), sum));
  CHECK(same_bits(train(data, 8 * 0.0125, weir::MeanOverSamples{}), sum));
  // With fewer samples there are as many micro-batches.
  staged::Batch const fewer = staged::Batch(data).first(15);
  auto const sum_of_fewer = train(fewer, 0.0125, weir::SumScale{});
  CHECK(same_bits(train(fewer, 8 * 0.0125, weir::MeanOverMicroBatches{}), sum_of_fewer));
  auto const mean_of_fewer = train(fewer, 15 / 2.0 * 0.0125, weir::MeanOverSamples{});
  CHECK(!same_bits(train(fewer, 8 * 0.0125, weir::MeanOverSamples{}), sum_of_fewer));
  for (std::size_t i = 0; i < sum_of_fewer.size(); ++i)
    CHECK(mean_of_fewer[i] == doctest::Approx(sum_of_fewer[i]).epsilon(1e-13));
}

TEST_CASE("options that do not fit the table are refused by name") {
  auto const table = staged::make_table("1f1b", {.workers = 2, .micro_batches = 4});
  weir::HostExecutor const executor;
  auto const refusal = [&](weir::PipelineOptions options) {
    try {
      weir::InterleavedPipeline<weir::HostExecutor, double> const pipe{executor, table, std::move(options)};
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  staged::Stages<double> const stages({1, 1});
  CHECK(refusal({.stages = {stages.layouts[0]}}) ==
        "InterleavedPipeline: 1 stage layouts for a table of 2 stages");
  CHECK(refusal({.stages = stages.layouts, .local_batch = 0}).find("local batch of 0") != std::string::npos);
  CHECK(refusal({.stages = stages.layouts, .skip_edges = {{0, 1}}}).find("skip edge") != std::string::npos);
  CHECK(refusal({.stages = stages.layouts}) == "");
}

namespace {

/// What a trace says of a slot. Units: microseconds.
struct TracedSlot {
  std::string name;
  double start = 0;
  double duration = 0;
};

/// The slots of a worker that compute, in the order in which they stand.
std::vector<TracedSlot> traced_slots(std::string const& trace, std::uint32_t worker) {
  std::vector<TracedSlot> slots;
  auto const after = [](std::string const& line, std::string const& key) {
    return line.substr(line.find(key) + key.size());
  };
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    bool const is_its = line.find("\"tid\":" + std::to_string(worker) + ",") != std::string::npos;
    if (!line.starts_with("{\"ph\":\"X\"") || !is_its ||
        line.find("\"cat\":\"compute\"") == std::string::npos)
      continue;
    std::string const name = after(line, "\"name\":\"");
    slots.push_back({name.substr(0, name.find('"')), std::stod(after(line, "\"ts\":")),
                     std::stod(after(line, "\"dur\":"))});
  }
  return slots;
}

/// The chain, of which each call takes a millisecond or more.
struct SlowChain {
  void forward(auto& micro) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    scalar_chain::Model{}.forward(micro);
  }
  void backward(auto& micro) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    scalar_chain::Model{}.backward(micro);
  }
};

}  // namespace

TEST_CASE("the trace of a run has its slots in microseconds, and with the idle time they make the makespan") {
  for (char const* const name : {"1f1b", "gpipe"}) {
    CAPTURE(name);
    auto const table = staged::make_table(name, {.workers = 2, .micro_batches = 8});
    std::vector<double> weights(2, 0.5);
    SlowChain const model;
    weir::HostExecutor const executor;
    weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
        executor, table, {.stages = scalar_chain::layouts(2), .records_times = true}};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pipe, weir::view(weights));
    auto const begin = std::chrono::steady_clock::now();
    sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
    sync.drain();
    double const at_most =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    weir::Timeline const run = pipe.timeline();
    double const makespan = 1e-3 * static_cast<double>(run.makespan_ticks());
    CHECK(makespan <= at_most);
    CHECK(makespan >= 3000 * 9);  // (m + p - 1) (F + B)
    std::string const trace = weir::schedule_trace(run);
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
      std::vector<TracedSlot> const slots = traced_slots(trace, worker);
      REQUIRE(slots.size() == table.view().worker(worker).size());
      double end = 0;
      double busy = 0;
      double idle = 0;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        CHECK(slots[i].name == weir::cell_text(table.view().worker(worker)[i]));
        CHECK(slots[i].start >= end - 1e-6);  // a millionth of what is written
        CHECK(slots[i].duration >= (slots[i].name[1] == 'F' ? 1000 : 2000));
        idle += slots[i].start - end;
        busy += slots[i].duration;
        end = slots[i].start + slots[i].duration;
      }
      // The last update ends behind the last slot.
      CHECK(end <= makespan + 1e-6);
      CHECK(busy + idle + (makespan - end) == doctest::Approx(makespan));
    }

    weir::Simulation const plan = simulate(run.table, {.worker = {1, 1, 1}});
    weir::TraceDifference const difference = weir::trace_difference(timeline(run.table, plan), run);
    CHECK(difference.out_of_order.empty());
    CHECK(difference.plan_makespan == 27);  // milliseconds
    CHECK(difference.run_makespan >= 27);
    CHECK(difference.run_makespan * 1000 <= makespan);
    CHECK(difference.excess < difference.run_makespan);
  }
}

TEST_CASE("the times of a run keep the order of the table, and no worker does two things at a time") {
  auto const data = staged::samples(8);
  auto const table = staged::make_table("zb-h1", {.workers = 2, .micro_batches = 4});
  staged::Stages<double> const stages({1, 1});
  std::vector<double> weights = staged::initial_weights<double>(2);
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      executor, table, {.stages = stages.layouts, .local_batch = 2, .records_times = true}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.5}})
                  .on(pipe, weir::view(weights));
  sync(pipe(staged::Batch(data), stages.list));
  sync.drain();
  weir::Timeline const times = pipe.timeline();
  REQUIRE(times.start.size() == times.table.operations().size());
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    std::int64_t before = 1;
    for (std::size_t i = times.table.begin_of(worker); i < times.table.begin_of(worker + 1); ++i) {
      CHECK(times.start[i] >= before);
      CHECK(times.end[i] >= times.start[i]);
      before = times.end[i];
    }
  }
}
