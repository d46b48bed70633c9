#include "weir/pipeline/edge_sparsifier.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "weir/comm/threads.hpp"
#include "weir/compress/ef21.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/shared_threshold.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/sparse_channel.hpp"
#include "weir/pipeline/transport/faulty.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"

namespace {

using namespace std::chrono_literals;
using Sparsifier = weir::EdgeSparsifier<weir::HostExecutor, double>;
using Transport = weir::FaultyTransport<weir::ThreadTransport>;
using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::Single, Transport>;

constexpr std::size_t local_batch = 16;
constexpr std::size_t micro_batches = 8;
constexpr std::size_t layers = 4;
constexpr double rate = 0.1;

auto feedback(double density) {
  return weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = density}}};
}
auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = rate}};

/// Four workers with a layer each, and what they train on.
struct Training {
  explicit Training(Sparsifier const& sparsifier, char const* schedule = "1f1b",
                    weir::Faults const& faults = {}, weir::Recompute recompute = weir::Recompute::never)
      : stages(std::vector<std::size_t>(layers, 1)),
        pipe(executor, staged::make_table(schedule, {.workers = layers, .micro_batches = micro_batches}),
             {.stages = layouts(!sparsifier.is_none()),
              .local_batch = local_batch,
              .recompute = recompute,
              .watchdog = faults.drop == weir::Faults::never ? 10s : 1s},
             {}, Transport(weir::ThreadTransport(), faults), sparsifier),
        sync(recipe.on(pipe, weir::view(weights))) {}

  std::vector<weir::StageLayout> layouts(bool is_sparse) const {
    auto result = stages.layouts;
    for (weir::StageLayout& stage : result)
      stage.codec = is_sparse ? weir::EdgeCodec::sparse : weir::EdgeCodec::none;
    return result;
  }
  auto batch() { return pipe(staged::Batch(samples), stages.list); }
  std::vector<double> const& run(int runs, std::size_t missing = 0) {
    for (int i = 0; i < runs; ++i)
      sync(pipe(staged::Batch(samples).first(samples.size() - missing), stages.list));
    sync.drain();
    return weights;
  }

  weir::HostExecutor executor;
  std::vector<staged::Sample> samples = staged::samples(micro_batches * local_batch);
  std::vector<double> weights = staged::initial_weights<double>(layers);
  staged::Stages<double> stages;
  Pipe pipe;
  decltype(recipe.on(std::declval<Pipe&>(), weir::view(std::declval<std::vector<double>&>()))) sync;
};

/// One flush written down: each way between two layers has a channel.
std::vector<double> written(Sparsifier const& sparsifier) {
  using Channel = weir::detail::SparseChannel<weir::HostExecutor, double>;
  weir::HostExecutor const executor;
  constexpr std::size_t size = staged::width * local_batch;
  weir::detail::MessageLayout const layout{{staged::width}, {0}, size * sizeof(double)};
  std::vector<Channel> ways;
  for (std::size_t i = 0; i < 2 * (layers - 1); ++i) ways.emplace_back(sparsifier, layout, local_batch);
  for (Channel& way : ways) {
    way.open_sender(executor);
    way.open_receiver(executor);
  }
  auto const send = [&](Channel& way, std::vector<double>& tensor) {
    auto* const data = reinterpret_cast<std::byte*>(tensor.data());
    executor.submit([&](auto const& point) { way.pack(data, local_batch, point); });
    executor.synchronize();
    way.unpack(data, {});
  };

  auto const samples = staged::samples(micro_batches * local_batch);
  std::vector<double> const w = staged::initial_weights<double>(layers);
  std::vector<double> gradient(w.size());
  for (std::size_t j = 0; j < micro_batches; ++j) {
    auto const batch = staged::Batch(samples).subspan(j * local_batch, local_batch);
    std::vector<std::vector<double>> x{staged::first_input<double>(batch)};
    std::vector<std::vector<double>> z;
    for (std::size_t s = 0; s < layers; ++s) {
      double const* const weights = w.data() + s * staged::layer_parameters;
      z.emplace_back(size);
      x.emplace_back(size);
      staged::forward<double>(weights, weights + staged::width * staged::width, x[s].data(), local_batch,
                              z[s].data(), x[s + 1].data(), nullptr);
      if (s + 1 < layers) send(ways[s], x[s + 1]);
    }
    std::vector<double> gy(size);
    std::vector<double> gx(size);
    staged::loss<double>(batch, x[layers].data(), 1.0, gy.data());
    for (std::size_t s = layers; s-- > 0;) {
      double* const into = gradient.data() + s * staged::layer_parameters;
      staged::backward_weight<double>(x[s].data(), z[s].data(), gy.data(), local_batch, into,
                                      into + staged::width * staged::width, j != 0);
      staged::backward_input<double>(w.data() + s * staged::layer_parameters, z[s].data(), gy.data(),
                                     local_batch, gx.data());
      gy = gx;
      if (s > 0) send(ways[layers - 1 + s - 1], gy);
    }
  }
  std::vector<double> result = w;
  for (std::size_t i = 0; i < w.size(); ++i) result[i] -= rate * gradient[i] / micro_batches;
  return result;
}

/// A stage of a recipe that throws in the first step of the first part that comes.
class FailsOnce {
 public:
  using consumes = weir::Dense;
  using produces = weir::Dense;

  explicit FailsOnce(std::atomic<bool>& is_armed) : is_armed_(&is_armed) {}

  template <weir::Executor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return [is_armed = is_armed_](weir::DenseGradient<E, Real> const& gradient) {
      if (is_armed->exchange(false)) throw std::runtime_error("no more");
      return gradient;
    };
  }

 private:
  std::atomic<bool>* is_armed_;
};

template <class Function>
std::string refusal(Function const& f) {
  try {
    f();
  } catch (weir::ContractViolation const& error) {
    return error.what();
  } catch (weir::ArchiveError const& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a pipeline sends what its sparsifier selects of outputs and gradients, and keeps the rest") {
  std::vector<double> const expected = written(feedback(0.1));
  std::vector<double> const weights = Training(feedback(0.1)).run(1);
  for (std::size_t i = 0; i < weights.size(); ++i)
    CHECK(weights[i] == doctest::Approx(expected[i]).epsilon(1e-13));
  CHECK(weights != Training({}).run(1));
  CHECK(weights != Training(weir::ThresholdSparsifier{{.density = 0.1}}).run(1));
}

TEST_CASE("the bits do not depend on schedule, timing or recomputation") {
  std::vector<double> const weights = Training(feedback(0.1)).run(4);
  CHECK(same_bits(Training(feedback(0.1), "gpipe").run(4), weights));
  CHECK(same_bits(Training(feedback(0.1), "zb-h1").run(4), weights));
  CHECK(same_bits(Training(feedback(0.1), "1f1b", {}, weir::Recompute::always).run(4), weights));
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    CHECK(same_bits(Training(feedback(0.1), "1f1b", {.seed = seed, .longest_delay = 200us}).run(4), weights));
}

TEST_CASE("a density of 1 has the bits of no codec, also where samples lack") {
  CHECK(same_bits(Training(feedback(1.0)).run(3), Training({}).run(3)));
  CHECK(same_bits(Training(feedback(1.0)).run(3, local_batch + 5), Training({}).run(3, local_batch + 5)));
}

TEST_CASE("a batch that lacks samples is sent sparsely, too") {
  std::vector<double> const weights = Training(feedback(0.1)).run(3, local_batch + 5);
  CHECK(same_bits(Training(feedback(0.1), "gpipe").run(3, local_batch + 5), weights));
  CHECK(weights != Training({}).run(3, local_batch + 5));
}

TEST_CASE("an evaluation sends everything, and changes nothing") {
  Training training(feedback(0.1));
  Training plain({});
  CHECK(training.sync.evaluate(training.batch()).sum == plain.sync.evaluate(plain.batch()).sum);
  for (int run = 0; run < 3; ++run) {
    training.run(1);
    (void)training.sync.evaluate(training.batch());
  }
  CHECK(same_bits(training.weights, Training(feedback(0.1)).run(3)));
}

TEST_CASE("a pipeline that has failed has forgotten what it kept, and starts anew") {
  std::vector<double> const initial = staged::initial_weights<double>(layers);
  std::vector<double> const weights = Training(feedback(0.1)).run(2);
  for (weir::Faults const& faults : {weir::Faults{.drop = 9}, weir::Faults{.fail = 9}}) {
    Training training(feedback(0.1), "1f1b", faults);
    CHECK_THROWS_AS(training.run(1), weir::PipelineError);
    training.weights = initial;  // where they are
    training.sync.restored();
    CHECK(same_bits(training.run(2), weights));
  }
}

TEST_CASE("so has one of which only an update has failed") {
  std::vector<double> const initial = staged::initial_weights<double>(layers);
  std::vector<double> const weights = Training(feedback(0.1)).run(2);
  Training training(feedback(0.1));
  std::atomic<bool> is_armed = true;
  std::vector<double> others = initial;
  auto sync = (weir::LocalAggregator{} | FailsOnce(is_armed) | weir::Sgd{{.learning_rate = rate}})
                  .on(training.pipe, weir::view(others));
  sync(training.batch());
  CHECK_THROWS_AS(sync.drain(), weir::PipelineError);
  others = initial;  // where they are
  sync.restored();
  for (int run = 0; run < 2; ++run) sync(training.batch());
  sync.drain();
  CHECK(same_bits(others, weights));
}

TEST_CASE("what is kept is saved, and goes on with the bits of one run") {
  std::vector<double> const weights = Training(feedback(0.1)).run(4);
  weir::Archive archive;
  {
    Training training(feedback(0.1));
    training.run(2);
    training.sync.save(archive);
    CHECK(same_bits(training.run(2), weights));
  }
  Training training(feedback(0.1));
  training.run(1);
  training.sync.load(archive);
  CHECK(same_bits(training.run(2), weights));

  Training other(feedback(0.2));
  std::string const text = refusal([&] { other.sync.load(archive); });
  CHECK(text.find("0F: error feedback (histogram, density 0.1") != std::string::npos);
  CHECK(text.find("density 0.2") != std::string::npos);
  other.sync.load(archive, {.strict = false});
  CHECK_NOTHROW(other.run(1));
  Training plain({});
  CHECK(refusal([&] { plain.sync.load(archive); }).find("'' here") != std::string::npos);
  CHECK_NOTHROW(plain.sync.load(archive, {.strict = false}));
  weir::Archive without;
  plain.sync.save(without);
  CHECK(refusal([&] { training.sync.load(without); }).find("'' in the archive") != std::string::npos);
  training.sync.load(without, {.strict = false});
  CHECK_NOTHROW(training.run(1));
}

TEST_CASE("a pipeline says what it does not send whole") {
  std::string const text = Training(feedback(0.1)).pipe.codecs();
  CHECK(text.find("0F: sparse, error feedback (histogram, density 0.1), 1B: sparse, error feedback") == 0);
  CHECK(text.find("2F: sparse") != std::string::npos);
  CHECK(text.find("3F") == std::string::npos);
  CHECK(Training({}).pipe.codecs() == "");
}

TEST_CASE("a density, or a codec, that cannot be is refused with what would be right") {
  CHECK(refusal([] { Training(feedback(0.0)); }).find("density is 0.0") != std::string::npos);
  CHECK(refusal([] { Training(feedback(1.5)); }).find("at most 1") != std::string::npos);
  std::string const text = refusal([] {
    Training(weir::ErrorFeedback{weir::ThresholdSparsifier{{.densities = {0.1, 0.1}}}});
  });
  CHECK(text.find("InterleavedPipeline: the tensors of 0F: ThresholdSparsifier: there are 2 densities") == 0);
  weir::DensityWarmup const listed{.steps_per_epoch = 10, .densities = {0.25}};
  for (auto const& warmup : {weir::DensityWarmup{.epochs = 2, .steps_per_epoch = 10}, listed}) {
    weir::ThresholdSparsifier const selects{{.density = 0.1, .warmup = warmup}};
    CHECK(refusal([&] { Training{selects}; }).find("EdgeSparsifier: a DensityWarmup") == 0);
    CHECK(refusal([&] { Training{weir::ErrorFeedback{selects}}; }).find("leave .warmup away") !=
          std::string::npos);
  }
  auto const make = [](weir::EdgeCodec codec, Sparsifier const& sparsifier) {
    staged::Stages<double> stages({1, 1});
    stages.layouts[0].codec = codec;
    Pipe const pipe(weir::HostExecutor(), staged::make_table("1f1b", {.workers = 2, .micro_batches = 2}),
                    {.stages = stages.layouts}, {}, Transport(weir::ThreadTransport(), {}), sparsifier);
  };
  CHECK(refusal([&] { make(weir::EdgeCodec::sparse, {}); }).find("the codec of stage 0") !=
        std::string::npos);
  CHECK(refusal([&] { make(weir::EdgeCodec::half, feedback(0.1)); }).find("no stage whose codec") !=
        std::string::npos);
  CHECK_NOTHROW(make(weir::EdgeCodec::sparse, feedback(0.1)));
}

TEST_CASE("stages that sum what they select, add momentum or ask other ranks are no sparsifiers of edges") {
  using Selects = weir::ThresholdSparsifier<>;
  using Shares = weir::SharedThreshold<weir::ThreadCommunicator, Selects>;
  CHECK(std::convertible_to<Selects, Sparsifier>);
  CHECK(std::convertible_to<weir::ErrorFeedback<Selects>, Sparsifier>);
  CHECK_FALSE(std::convertible_to<weir::EF21<Selects>, Sparsifier>);
  CHECK_FALSE(std::convertible_to<weir::MomentumCorrection<Selects>, Sparsifier>);
  CHECK_FALSE(std::convertible_to<Shares, Sparsifier>);
  CHECK_FALSE(std::convertible_to<weir::ErrorFeedback<Shares>, Sparsifier>);
}
