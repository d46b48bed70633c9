// Sparsification of a bucket, beside a device-to-device copy of its size (8 bytes for each element), what it
// adds to the sum of several workers' gradients that it is fused with, beside a backward pass on another
// stream, and what exact top-k takes with CUB. Each step has another gradient, and with error feedback what
// is timed comes after the quality has become steady: with the same gradient in each step, residuals grow
// alike, and fits and reused thresholds fail as they do in no training.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_reuse.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/host_copy.hpp"

namespace {

constexpr std::size_t small = 262'144;
constexpr std::size_t between = std::size_t{1} << 22;
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
        gradients_(executor, sets_ * workers * size + places * stride),
        residuals_(executor, has_feedback ? sets_ * 2 * size : 0),
        indices_(executor, room_),
        values_(executor, room_),
        states_(executor, sets_),
        counts_(executor, 1),
        tail_(executor, 1),
        scratch_(executor, weir::sparsify_scratch_bytes<float>(executor, size, density)),
        dense_(executor, size) {
    bench::fill_random(executor.stream(), gradients_.data(), gradients_.size(), 1);
    set_zero(executor, residuals_.view());
    for (std::size_t set = 0; set < sets_; ++set)
      apply_scalars(executor, weir::InitialiseThreshold{states_.data() + set, density});
  }

  template <class Policy>
  void sparsify(std::size_t turn, Policy const& policy, weir::ReuseConstants reuse = {}) const {
    run(turn, policy, reuse, weir::SparsifyPart::whole);
  }

  /// The statistics that a threshold is fitted to, and nothing else.
  template <class Policy>
  void estimate(std::size_t turn, Policy const& policy) const {
    run(turn, policy, {}, weir::SparsifyPart::accumulate);
  }

  /// The sum of the workers' gradients alone.
  void sum(std::size_t turn) const {
    std::array<Term, most_workers> const of_turn = terms_of(turn);
    sum_weighted(executor_, std::span<Term const>(of_turn.data(), workers_), dense_.view());
  }

  void decompress() const {
    set_zero(executor_, dense_.view());
    scatter_add(executor_, indices_.view(), values_.view(), &counts_.data()->count, dense_.view());
  }

  /// The quality of some steps of each set, and the part of them that took an earlier threshold.
  struct Steps {
    double quality;
    double reused;
  };
  template <class Policy>
  Steps watch(std::size_t first, std::size_t steps, Policy const& policy, weir::ReuseConstants reuse) const {
    Steps found{};
    for (std::size_t turn = first * sets_; turn < (first + steps) * sets_; ++turn) {
      sparsify(turn, policy, reuse);
      auto const last = to_host(executor_, states_.view().part(turn % sets_, 1))[0].last;
      found.quality += last.quality / static_cast<double>(steps * sets_);
      found.reused += last.was_reused / static_cast<double>(steps * sets_);
    }
    return found;
  }

  /// Until the mean quality of 32 steps is that of the 32 before to 5 percent, or 512 steps are over.
  template <class Policy>
  void warm_up(Policy const& policy, weir::ReuseConstants reuse = {}) const {
    double before = 0.0;
    for (std::size_t window = 0; window < 16; ++window) {
      double const now = watch(32 * window, 32, policy, reuse).quality;
      if (std::abs(now - before) <= 0.05 * now) return;
      before = now;
    }
  }

 private:
  using Term = weir::WeightedTerm<float, weir::DeviceSpace>;
  static constexpr std::size_t places = 1021;  // that a gradient begins at
  static constexpr std::size_t stride = 64;
  static constexpr std::size_t most_workers = 4;

  template <class Policy>
  void run(std::size_t turn, Policy const& policy, weir::ReuseConstants reuse,
           weir::SparsifyPart part) const {
    std::size_t const set = turn % sets_;
    std::array<Term, most_workers> const of_turn = terms_of(turn);
    Work work;
    work.terms = {of_turn.data(), workers_};
    work.part = part;
    if (part == weir::SparsifyPart::accumulate) work.tail = tail_.data();
    if (workers_ > 1 && residuals_.view().empty()) work.accumulator = dense_.view();
    if (!residuals_.view().empty()) {
      float* const residual = residuals_.data() + set * 2 * size_;
      work.residual = {residual, residual + size_, size_, &states_.data()[set].side};
    }
    work.constants.reuse = reuse;
    // In one stage fits collapse under feedback, and no threshold is worth keeping.
    if (reuse.interval != 0 || !residuals_.view().empty())
      work.constants.stages.count = weir::StageCount::adaptive;
    work.state = states_.data() + set;
    work.out = {counts_.data(), indices_.view(), values_.view()};
    work.scratch = scratch_.view();
    weir::sparsify(executor_, work, policy);
  }

  /// Another gradient each time that the turn comes to a set.
  std::array<Term, most_workers> terms_of(std::size_t turn) const {
    std::size_t const first = turn % sets_ * workers_ * size_ + turn / sets_ % places * stride;
    std::array<Term, most_workers> terms;
    for (std::size_t worker = 0; worker < workers_; ++worker)
      terms[worker] = {gradients_.view().part(first + worker * size_, size_),
                       1.0 / static_cast<double>(workers_)};
    return terms;
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
  Memory<weir::TailStatistics> tail_;
  Memory<std::byte> scratch_;
  Memory<float> dense_;
};

std::string name_of(std::size_t size, double density, bool has_feedback) {
  std::string const text = std::to_string(density);
  return "sparsify " + std::to_string(size) + " at " + text.substr(0, text.find_last_not_of('0') + 1) +
         (has_feedback ? ", error feedback" : "");
}

/// What a threshold selected that was kept for several steps, and how often it was.
void add_steps(bench::Report& report, std::string const& measured, std::string const& what,
               Buckets::Steps const& steps) {
  report.add(
      {.measured = measured, .what = what + ": selected", .timing = {steps.quality, 0.0}, .unit = "of k"});
  report.add({.measured = measured,
              .what = what + ": reused",
              .timing = {steps.reused, 0.0},
              .unit = "of the steps"});
}

/// A case beside a copy: the report's ratio is copy / time, so that a goal of 0.75 copies is 1 / 0.75. There
/// are goals for large buckets.
class Case {
 public:
  Case(bench::Report& report, std::size_t size, double density, bool has_feedback)
      : report_(report),
        size_(size),
        density_(density),
        has_feedback_(has_feedback),
        copy_(executor_, 8 * size) {}

  template <class Policy>
  void time(char const* what, Policy const& policy, double goal, weir::ReuseConstants reuse = {}) const {
    Buckets const buckets(executor_, size_, density_, has_feedback_);
    if (has_feedback_ || reuse.interval != 0) buckets.warm_up(policy, reuse);
    add(
        what, [&](std::size_t turn) { buckets.sparsify(turn, policy, reuse); }, goal,
        has_feedback_ ? 12.0 : 4.0);
    if (has_feedback_ || reuse.interval != 0)
      add_steps(report_, name(), what, buckets.watch(1000, 100, policy, reuse));
  }

  void time_estimate() const {
    Buckets const buckets(executor_, size_, density_, has_feedback_);
    add(
        "estimate alone", [&](std::size_t turn) { buckets.estimate(turn, weir::Exponential{}); }, 0.6, 4.0);
  }

  /// Its bytes are those of the vector that is cleared, of the pairs, and of the sectors of 8 elements that
  /// they go to, which are read and written.
  void time_decompression() const {
    Buckets const buckets(executor_, size_, density_, has_feedback_);
    buckets.sparsify(0, weir::Histogram{});
    double const bytes = 4.0 + 8.0 * density_ + 8.0 * (1.0 - std::pow(1.0 - density_, 8.0));
    add(
        "decompress", [&](std::size_t) { buckets.decompress(); }, 1.5 * bytes / 8.0, bytes);
  }

 private:
  std::string name() const { return name_of(size_, density_, has_feedback_); }

  void add(char const* what, std::function<void(std::size_t)> const& enqueue, double copies,
           double bytes) const {
    auto const timings = bench::time_in_turns(executor_.stream(), {copy_.contender(), {what, enqueue}});
    report_.add({.measured = name(),
                 .what = what,
                 .timing = timings[1],
                 .bytes = static_cast<double>(size_) * bytes,
                 .roof = "copy",
                 .roof_value = timings[0].median,
                 .ratio = timings[0].median / timings[1].median,
                 .goal = size_ < medium ? bench::Goal{} : bench::Goal::ratio_at_least(1.0 / copies)});
  }

  bench::Report& report_;
  std::size_t size_;
  double density_;
  bool has_feedback_;
  weir::CudaExecutor executor_;
  bench::CopyRoof copy_;
};

/// Goals in copies.
void at(bench::Report& report, std::size_t size, double density, bool has_feedback, double goal_of_one_pass,
        double goal_of_two_passes) {
  Case const here(report, size, density, has_feedback);
  weir::ReuseConstants const reuse = weir::ThresholdReuse{};
  here.time("histogram", weir::Histogram{}, goal_of_one_pass);
  here.time("topk", weir::ExactTopK{}, goal_of_one_pass);
  here.time("exponential", weir::Exponential{}, goal_of_two_passes);
  here.time("histogram, reused", weir::Histogram{}, goal_of_one_pass, reuse);
  here.time("exponential, reused", weir::Exponential{}, goal_of_one_pass, reuse);
  if (has_feedback) return;
  here.time_estimate();
  here.time_decompression();
}

void passes(bench::Report& report) {
  for (std::size_t const size : {between, medium, large}) {
    at(report, size, 0.001, false, 0.75, 1.2);
    at(report, size, 0.01, false, 0.8, 1.2);
    at(report, size, 0.1, false, 1.1, 1.3);
    at(report, size, 0.001, true, 1.75, 2.3);
    at(report, size, 0.01, true, 1.75, 2.3);
    at(report, size, 0.1, true, 2.4, 2.9);
  }
}

/// What a sparsification adds to the sum of 4 workers that it takes on the way.
template <class Policy>
void fused_with(bench::Report& report, bool has_feedback, char const* what, Policy const& policy,
                weir::ReuseConstants reuse) {
  constexpr std::size_t workers = 4;
  weir::CudaExecutor const executor;
  Buckets const buckets(executor, medium, 0.01, has_feedback, workers);
  buckets.warm_up(policy, reuse);
  bench::CopyRoof const copy(executor, 8 * medium);
  auto const timings = bench::time_in_turns(
      executor.stream(), {copy.contender(),
                          {"sum", [&](std::size_t turn) { buckets.sum(turn); }},
                          {what, [&](std::size_t turn) { buckets.sparsify(turn, policy, reuse); }}});
  std::string const measured = name_of(medium, 0.01, has_feedback) + ", over the sum of 4";
  bench::Timing added = timings[2];
  added.median = std::max(added.median - timings[1].median, 0.001);
  report.add({.measured = measured,
              .what = what,
              .timing = added,
              .roof = "copy",
              .roof_value = timings[0].median,
              .ratio = timings[0].median / added.median,
              .goal = bench::Goal::ratio_at_least(1.0 / 0.6)});
  add_steps(report, measured, what, buckets.watch(1000, 100, policy, reuse));
}

void fused(bench::Report& report) {
  weir::ReuseConstants const reuse = weir::ThresholdReuse{};
  for (bool const has_feedback : {false, true}) {
    fused_with(report, has_feedback, "histogram", weir::Histogram{}, {});
    fused_with(report, has_feedback, "histogram, reused", weir::Histogram{}, reuse);
    fused_with(report, has_feedback, "exponential, reused", weir::Exponential{}, reuse);
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

/// A bucket that is sparsified while something else goes on, on a stream of its own.
void beside(bench::Report& report, char const* what, bench::Goal goal,
            std::function<void(weir::CudaExecutor const&)> const& compute) {
  weir::CudaExecutor const executor;
  weir::CudaExecutor const backward;
  weir::CudaEvent const begun = executor.make_event();
  weir::CudaEvent const ended = backward.make_event();
  Buckets const buckets(executor, medium, 0.01, true);
  auto const sparsify = [&](std::size_t turn) { buckets.sparsify(turn, weir::Histogram{}); };
  auto const timings =
      bench::time_in_turns(executor.stream(), {{"backward", [&](std::size_t) { compute(executor); }},
                                               {"sparsify", sparsify},
                                               {"both", [&](std::size_t turn) {
                                                  executor.record(begun);
                                                  backward.wait(begun);
                                                  compute(backward);
                                                  backward.record(ended);
                                                  sparsify(turn);
                                                  executor.wait(ended);
                                                }}});
  double const longer = std::max(timings[0].median, timings[1].median);
  report.add({.measured = name_of(medium, 0.01, true),
              .what = what,
              .timing = timings[2],
              .roof = "the longer of the two",
              .roof_value = longer,
              .ratio = longer / timings[2].median,
              .goal = goal});
}

/// A backward pass that computes, and one that moves memory: beside that one, the two share the bandwidth,
/// and their sum is what can be had.
void beside_backward(bench::Report& report) {
  constexpr unsigned rounds = 40'000;  // 0.2 ms, about as long as the bucket takes
  weir::CudaExecutor const executor;
  weir::Buffer<float, weir::CudaExecutor> const out(executor, 1);
  beside(report, "beside a backward pass", bench::Goal::ratio_at_least(1.0 / 1.15),
         [&](weir::CudaExecutor const& stream) {
           bench::launch_busy(stream.stream(), bench::multiprocessors(), rounds, out.data());
         });
  weir::Buffer<float, weir::CudaExecutor> const from(executor, medium), to(executor, medium);
  bench::fill_random(executor.stream(), from.data(), medium, 1);
  set_zero(executor, to.view());
  executor.synchronize();
  beside(report, "beside additions, memory-bound", {}, [&](weir::CudaExecutor const& stream) {
    add_scaled(stream, weir::DeviceView<float const>(from.view()), 1.0f, to.view());
  });
}

/// Exact top-k, beside a sort of all magnitudes. With error feedback, that one has a kernel each which adds
/// the residual, takes the values, and clears what is sent.
void beside_cub(bench::Report& report) {
  weir::CudaExecutor const executor;
  std::size_t const size = medium;
  std::uint64_t const k = weir::slots_of(0.01, size);
  weir::Buffer<float, weir::CudaExecutor> const in(executor, size), residual(executor, size),
      magnitudes(executor, size), sorted(executor, size), values(executor, k);
  weir::Buffer<std::uint32_t, weir::CudaExecutor> const places(executor, size), sorted_places(executor, size);
  weir::Buffer<std::uint64_t, weir::CudaExecutor> const count(executor, 1);
  weir::from_host(executor, std::span<std::uint64_t const>(&k, 1), count.view());
  bench::fill_random(executor.stream(), in.data(), size, 1);
  set_zero(executor, residual.view());
  std::size_t bytes = 0;
  auto const sort = [&](float const* accumulated, void* workspace) {
    bench::cub_sorted_magnitudes(executor.stream(), accumulated, size, magnitudes.data(), places.data(),
                                 sorted.data(), sorted_places.data(), workspace, bytes);
  };
  sort(in.data(), nullptr);
  weir::Buffer<std::byte, weir::CudaExecutor> const workspace(executor, bytes);
  auto const sort_with_feedback = [&] {
    add_scaled(executor, weir::DeviceView<float const>(in.view()), 1.0f, residual.view());
    sort(residual.data(), workspace.data());
    auto const sent = sorted_places.view().part(0, k);
    weir::gather(executor, residual.view(), sent, count.data(), values.view());
    zero_at(executor, sent, count.data(), residual.view());
  };
  for (bool const has_feedback : {false, true}) {
    Buckets const buckets(executor, size, 0.01, has_feedback);
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {{"weir topk", [&](std::size_t turn) { buckets.sparsify(turn, weir::ExactTopK{}); }},
         {"CUB radix sort", [&](std::size_t) {
            if (has_feedback) return sort_with_feedback();
            sort(in.data(), workspace.data());
          }}});
    report.add({.measured = name_of(size, 0.01, has_feedback),
                .what = "CUB radix sort",
                .timing = timings[1],
                .bytes = static_cast<double>(size) * (has_feedback ? 12.0 : 4.0),
                .roof = "weir topk",
                .roof_value = timings[0].median,
                .ratio = timings[1].median / timings[0].median,
                .goal = bench::Goal::ratio_at_least(3.0)});
  }
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
