// The order in which a device runs the operations of a pipeline over streams: that of its table.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/verb_pipeline.hpp"
#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/operation_index.hpp"

namespace {

using verb_pipeline::Versions;
using Number = std::uint32_t;

/// Takes the next number when the stream comes to it, and keeps the stream busy for a while.
__global__ void take_number(Number* next, Number* number, long long cycles) {
  *number = atomicAdd(next, 1u);
  long long const begin = clock64();
  while (clock64() - begin < cycles) {
  }
}

enum Part : std::size_t { forward_part, input_part, weight_part, parts };

struct Span {
  Number begin;
  Number end;
};

/// Where the parts of each operation's calls have their numbers.
struct Slots {
  std::size_t stages;
  std::size_t micro_batches;

  std::size_t count() const { return parts * stages * micro_batches; }
  std::size_t of(Part part, std::size_t stage, std::size_t j) const {
    return (part * stages + stage) * micro_batches + j;
  }
};

/// Stages that do nothing but take a number when they begin and one when they end.
struct Numbering {
  Slots slots;
  std::size_t period;
  Number* next;
  Span* spans;

  void forward(auto& micro) const { take(micro, forward_part); }
  void backward_input(auto& micro) const { take(micro, input_part); }
  void backward_weight(auto& micro) const { take(micro, weight_part); }

 private:
  template <class Micro>
  void take(Micro& micro, Part part) const {
    std::size_t const j = (micro.step() * period + micro.index()) % slots.micro_batches;
    Span& span = spans[slots.of(part, micro.stage(), j)];
    if constexpr (std::is_same_v<typename Micro::executor_type, weir::HostExecutor>) {
      span.begin = std::atomic_ref(*next)++;
      span.end = std::atomic_ref(*next)++;
    } else {
      constexpr long long some_microseconds = 40'000;
      cudaStream_t const stream = micro.executor().stream();
      take_number<<<1, 1, 0, stream>>>(next, &span.begin, some_microseconds);
      take_number<<<1, 1, 0, stream>>>(next, &span.end, 0);
      weir::check_cuda(cudaGetLastError(), "launch of take_number");
    }
  }
};

/// The numbers of the last one of three runs.
template <class E>
std::vector<Span> run(E const& executor, weir::ScheduleTable const& table, bool is_captured) {
  weir::TableProperties const& properties = table.properties();
  Slots const slots{properties.stages, properties.micro_batches};
  weir::StageLayout const layout{.parameters = {1}, .outputs = {{1}}};
  weir::InterleavedPipeline<E, float, Versions> pipe{
      executor,
      table,
      {.stages = std::vector<weir::StageLayout>(properties.stages, layout)},
      Versions{properties.stages}};
  weir::Buffer<float, E> const weights(executor, properties.stages);
  weir::Buffer<float, E> const batch(executor, properties.micro_batches);
  fill(executor, weights.view(), 0.0f);
  weir::Buffer<Number, E> const next(executor, 1);
  weir::Buffer<Span, E> const spans(executor, slots.count());
  Number const zero = 0;
  weir::from_host(executor, std::span(&zero, 1), next.view());
  Numbering const model{slots, properties.period, next.data(), spans.data()};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pipe, weights.view());
  auto const step = [&] { sync(pipe(weir::ViewOn<float const, E>(batch.view()), model)); };
  step();
  if constexpr (std::is_same_v<E, weir::CudaExecutor>) {
    if (is_captured) {
      auto const graph = weir::CudaGraph::capture(executor, step);
      for (int i = 0; i < 2; ++i) graph.replay();
      sync.replayed(2);
    }
  }
  for (int i = 0; !is_captured && i < 2; ++i) step();
  sync.drain();
  return weir::to_host(executor, spans.view());
}

/// From the begin of an operation's first part to the end of its last one.
Span span_of(weir::Operation const& operation, Slots const& slots, std::vector<Span> const& spans) {
  auto const of = [&](Part part) { return spans[slots.of(part, operation.stage, operation.micro_batch)]; };
  if (weir::is_forward(operation)) return of(forward_part);
  Part const first = weir::gives_input_gradient(operation) ? input_part : weight_part;
  Part const last = weir::gives_weight_gradient(operation) ? weight_part : input_part;
  return {of(first).begin, of(last).end};
}

/// Each operation has run once, after the one before it on its worker and after all that it needs.
void check_order(weir::ScheduleTable const& schedule, std::vector<Span> const& spans) {
  weir::TableView const table = schedule;
  Slots const slots{table.stages(), table.micro_batches()};
  weir::OperationIndex const index(table);
  std::vector<Number> numbers;
  for (Span const& span : spans) numbers.insert(numbers.end(), {span.begin, span.end});
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 1; i < numbers.size(); ++i) REQUIRE(numbers[i] == numbers[0] + i);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    for (std::size_t i = table.begin_of(worker); i < table.begin_of(worker + 1); ++i) {
      weir::Operation const& operation = table.operations()[i];
      Span const span = span_of(operation, slots, spans);
      CAPTURE(worker);
      CAPTURE(i);
      CHECK(span.begin < span.end);
      if (i > table.begin_of(worker))
        CHECK(span_of(table.operations()[i - 1], slots, spans).end < span.begin);
      for_each_dependency(table, index, operation, [&](std::size_t needed) {
        CHECK(span_of(table.operations()[needed], slots, spans).end < span.begin);
      });
    }
  }
}

void check_schedule(char const* name, weir::ScheduleShape const& shape) {
  CAPTURE(name);
  auto const table = weir::find_schedule(name)->make_table(shape);
  check_order(table, run(weir::HostExecutor(), table, false));
  for (int repeat = 0; repeat < 3; ++repeat) {
    check_order(table, run(weir::CudaExecutor(), table, false));
    if (table.properties().synchronous) check_order(table, run(weir::CudaExecutor(), table, true));
  }
}

}  // namespace

TEST_CASE("operations on a device run in the order of the table, after all that they need, captured too") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "zb-h2", "chimera", "dualpipe"})
    check_schedule(name, {.workers = 4, .micro_batches = 8});
  for (char const* name : {"interleaved-1f1b", "looped-bfs", "zb-v", "dualpipe-v"})
    check_schedule(name, {.workers = 2, .micro_batches = 8});
}

TEST_CASE("so they do where there is no flush") {
  check_schedule("wpipe", {.workers = 2, .micro_batches = 8, .period = 2});
  check_schedule("pipedream-2bw", {.workers = 3, .micro_batches = 9, .period = 3});
  check_schedule("pipedream", {.workers = 3, .micro_batches = 7, .period = 1});
}
