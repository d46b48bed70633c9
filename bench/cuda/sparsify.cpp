// Sparsification of a bucket, beside a device-to-device copy of its size (8 bytes for each element), what it
// adds to the sum of several workers' gradients that it is fused with, beside a backward pass on another
// stream, and what exact top-k takes with CUB.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/cuda/graph.hpp"

namespace {

constexpr std::size_t small = 262'144;
constexpr std::size_t medium = 26'214'400;
constexpr std::size_t large = 262'144'000;

/// Buckets that are more than the L2 together, each with the gradients of some workers, and all that a stage
/// would keep for it.
class Buckets {
  using Work = weir::SparsifyWork<float, float, weir::DeviceSpace>;
  template <class T>
  using Memory = weir::Buffer<T, weir::CudaExecutor>;

 public:
  Buckets(weir::CudaExecutor const& executor, std::size_t size, double density, bool has_feedback,
          std::size_t workers = 1)
      : executor_(executor),
        size_(size),
        workers_(workers),
        room_(2 * weir::slots_of(density, size)),
        sets_(bench::rotation(sizeof(float) * size * workers)),
        gradients_(executor, sets_ * workers * size),
        residuals_(executor, has_feedback ? sets_ * 2 * size : 0),
        indices_(executor, room_),
        values_(executor, room_),
        states_(executor, sets_),
        counts_(executor, 1),
        scratch_(executor, weir::sparsify_scratch_bytes<float>(executor, size, density)),
        dense_(executor, size) {
    bench::fill_random(executor.stream(), gradients_.data(), gradients_.size(), 1);
    set_zero(executor, residuals_.view());
    for (std::size_t term = 0; term < sets_ * workers; ++term)
      terms_.push_back({gradients_.view().part(term * size, size), 1.0 / static_cast<double>(workers)});
    for (std::size_t set = 0; set < sets_; ++set)
      apply_scalars(executor, weir::InitialiseThreshold{states_.data() + set, density});
  }

  template <class Policy>
  void sparsify(std::size_t turn, Policy const& policy, weir::ReuseConstants reuse = {}) const {
    std::size_t const set = turn % sets_;
    Work work;
    work.terms = terms(set);
    if (workers_ > 1 && residuals_.view().empty()) work.accumulator = dense_.view();
    if (!residuals_.view().empty()) {
      float* const residual = residuals_.data() + set * 2 * size_;
      work.residual = {residual, residual + size_, size_, &states_.data()[set].side};
    }
    work.constants.reuse = reuse;
    work.state = states_.data() + set;
    work.out = {counts_.data(), indices_.view(), values_.view()};
    work.scratch = scratch_.view();
    weir::sparsify(executor_, work, policy);
  }

  /// The sum of the workers' gradients alone.
  void sum(std::size_t turn) const { sum_weighted(executor_, terms(turn % sets_), dense_.view()); }

  void decompress() const {
    set_zero(executor_, dense_.view());
    scatter_add(executor_, indices_.view(), values_.view(), &counts_.data()->count, dense_.view());
  }

 private:
  std::span<weir::WeightedTerm<float, weir::DeviceSpace> const> terms(std::size_t set) const {
    return {&terms_[set * workers_], workers_};
  }

  weir::CudaExecutor executor_;
  std::size_t size_;
  std::size_t workers_;
  std::size_t room_;
  std::size_t sets_;
  Memory<float> gradients_;
  Memory<float> residuals_;
  Memory<std::uint32_t> indices_;
  Memory<float> values_;
  Memory<weir::ThresholdState> states_;
  Memory<weir::SelectionCounts> counts_;
  Memory<std::byte> scratch_;
  Memory<float> dense_;
  std::vector<weir::WeightedTerm<float, weir::DeviceSpace>> terms_;
};

std::string name_of(std::size_t size, double density, bool has_feedback) {
  std::string const text = std::to_string(density);
  return "sparsify " + std::to_string(size) + " at " + text.substr(0, text.find_last_not_of('0') + 1) +
         (has_feedback ? ", error feedback" : "");
}

/// Times as a part of the copy: the report's ratio is copy / time, so that a goal of 0.75 copies is 1 / 0.75.
void at(bench::Report& report, std::size_t size, double density, bool has_feedback, double goal_of_ranked,
        double goal_of_fitted) {
  weir::CudaExecutor const executor;
  Buckets const buckets(executor, size, density, has_feedback);
  bench::CopyRoof const copy(executor, 8 * size);
  auto const timings = bench::time_in_turns(
      executor.stream(),
      {copy.contender(),
       {"histogram", [&](std::size_t turn) { buckets.sparsify(turn, weir::Histogram{}); }},
       {"topk", [&](std::size_t turn) { buckets.sparsify(turn, weir::ExactTopK{}); }},
       {"exponential", [&](std::size_t turn) { buckets.sparsify(turn, weir::Exponential{}); }},
       {"exponential, reused",
        [&](std::size_t turn) { buckets.sparsify(turn, weir::Exponential{}, {.interval = 32}); }},
       {"decompress", [&](std::size_t) { buckets.decompress(); }}});
  char const* const what[] = {"copy",        "histogram",           "topk",
                              "exponential", "exponential, reused", "decompress"};
  double const goals[] = {0, goal_of_ranked, goal_of_ranked, goal_of_fitted, goal_of_ranked, 0};
  for (std::size_t index = 1; index < timings.size(); ++index) {
    report.add({.measured = name_of(size, density, has_feedback),
                .what = what[index],
                .timing = timings[index],
                .bytes = static_cast<double>(size) * (has_feedback ? 12.0 : 4.0),
                .roof = "copy",
                .roof_value = timings[0].median,
                .ratio = timings[0].median / timings[index].median,
                .goal = goals[index] > 0 ? bench::Goal::ratio_at_least(1.0 / goals[index]) : bench::Goal{}});
  }
}

void passes(bench::Report& report) {
  for (std::size_t const size : {medium, large}) {
    at(report, size, 0.001, false, 0.75, 1.2);
    at(report, size, 0.01, false, 0.8, 1.2);
    at(report, size, 0.1, false, 1.1, 1.3);
    at(report, size, 0.001, true, 1.75, 2.3);
    at(report, size, 0.01, true, 1.75, 2.3);
    at(report, size, 0.1, true, 2.4, 2.9);
  }
}

/// What a sparsification adds to the sum of 4 workers that it takes on the way.
void fused(bench::Report& report) {
  constexpr std::size_t workers = 4;
  weir::CudaExecutor const executor;
  for (bool const has_feedback : {false, true}) {
    Buckets const buckets(executor, medium, 0.01, has_feedback, workers);
    bench::CopyRoof const copy(executor, 8 * medium);
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {copy.contender(),
         {"sum", [&](std::size_t turn) { buckets.sum(turn); }},
         {"histogram", [&](std::size_t turn) { buckets.sparsify(turn, weir::Histogram{}); }},
         {"exponential, reused",
          [&](std::size_t turn) { buckets.sparsify(turn, weir::Exponential{}, {.interval = 32}); }}});
    char const* const what[] = {"copy", "sum", "histogram", "exponential, reused"};
    for (std::size_t index = 2; index < timings.size(); ++index) {
      bench::Timing added = timings[index];
      added.median = std::max(added.median - timings[1].median, 0.001);
      report.add({.measured = name_of(medium, 0.01, has_feedback) + ", over the sum of 4",
                  .what = what[index],
                  .timing = added,
                  .roof = "copy",
                  .roof_value = timings[0].median,
                  .ratio = timings[0].median / added.median,
                  .goal = bench::Goal::ratio_at_least(1.0 / 0.6)});
    }
  }
}

/// What is fixed: a bucket that fits into the caches, enqueued and replayed.
void fixed_cost(bench::Report& report) {
  weir::CudaExecutor const executor;
  for (std::size_t const size : {std::size_t{4096}, small}) {
    Buckets const buckets(executor, size, 0.01, true);
    buckets.sparsify(0, weir::Histogram{});
    auto const graph = weir::CudaGraph::capture(executor, [&] { buckets.sparsify(0, weir::Histogram{}); });
    auto const timings = bench::time_in_turns(
        executor.stream(), {{"enqueued", [&](std::size_t) { buckets.sparsify(0, weir::Histogram{}); }},
                            {"captured", [&](std::size_t) { graph.replay(); }}});
    char const* const what[] = {"enqueued", "captured"};
    for (std::size_t index = 0; index < timings.size(); ++index) {
      report.add(
          {.measured = name_of(size, 0.01, true),
           .what = what[index],
           .timing = timings[index],
           .goal = index == 1 ? bench::Goal::value_at_most(size == small ? 20.0 : 12.0) : bench::Goal{}});
    }
  }
}

/// A bucket that is sparsified while the backward pass goes on, on a stream of its own.
void beside_backward(bench::Report& report) {
  constexpr unsigned rounds = 40'000;  // 0.2 ms, about as long as the bucket takes
  weir::CudaExecutor const executor;
  weir::CudaExecutor const backward;
  weir::CudaEvent const begun = executor.make_event();
  weir::CudaEvent const ended = backward.make_event();
  Buckets const buckets(executor, medium, 0.01, true);
  weir::Buffer<float, weir::CudaExecutor> const out(executor, 1);
  auto const compute = [&](cudaStream_t stream) {
    bench::launch_busy(stream, bench::multiprocessors(), rounds, out.data());
  };
  auto const sparsify = [&](std::size_t turn) { buckets.sparsify(turn, weir::Histogram{}); };
  auto const timings =
      bench::time_in_turns(executor.stream(), {{"backward", [&](std::size_t) { compute(executor.stream()); }},
                                               {"sparsify", sparsify},
                                               {"both", [&](std::size_t turn) {
                                                  executor.record(begun);
                                                  backward.wait(begun);
                                                  compute(backward.stream());
                                                  backward.record(ended);
                                                  sparsify(turn);
                                                  executor.wait(ended);
                                                }}});
  double const longer = std::max(timings[0].median, timings[1].median);
  report.add({.measured = name_of(medium, 0.01, true),
              .what = "beside a backward pass",
              .timing = timings[2],
              .roof = "the longer of the two",
              .roof_value = longer,
              .ratio = longer / timings[2].median,
              .goal = bench::Goal::ratio_at_least(1.0 / 1.15)});
}

/// Exact top-k, beside a sort of all magnitudes.
void beside_cub(bench::Report& report) {
  weir::CudaExecutor const executor;
  std::size_t const size = medium;
  Buckets const buckets(executor, size, 0.01, false);
  weir::Buffer<float, weir::CudaExecutor> const in(executor, size), magnitudes(executor, size),
      sorted(executor, size);
  weir::Buffer<std::uint32_t, weir::CudaExecutor> const places(executor, size), sorted_places(executor, size);
  bench::fill_random(executor.stream(), in.data(), size, 1);
  std::size_t bytes = 0;
  auto const sort = [&](void* workspace) {
    bench::cub_sorted_magnitudes(executor.stream(), in.data(), size, magnitudes.data(), places.data(),
                                 sorted.data(), sorted_places.data(), workspace, bytes);
  };
  sort(nullptr);
  weir::Buffer<std::byte, weir::CudaExecutor> const workspace(executor, bytes);
  auto const timings = bench::time_in_turns(
      executor.stream(), {{"weir topk", [&](std::size_t turn) { buckets.sparsify(turn, weir::ExactTopK{}); }},
                          {"CUB radix sort", [&](std::size_t) { sort(workspace.data()); }}});
  report.add({.measured = name_of(size, 0.01, false),
              .what = "CUB radix sort",
              .timing = timings[1],
              .bytes = static_cast<double>(size) * 4.0,
              .roof = "weir topk",
              .roof_value = timings[0].median,
              .ratio = timings[1].median / timings[0].median,
              .goal = bench::Goal::ratio_at_least(3.0)});
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments,
                    {{"passes", passes},
                     {"fused", fused},
                     {"fixed cost", fixed_cost},
                     {"beside a backward pass", beside_backward},
                     {"beside CUB", beside_cub}});
}
