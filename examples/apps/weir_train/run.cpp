#include "run.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cifar10.hpp"
#include "digits.hpp"
#include "file_set.hpp"
#include "gpus.hpp"
#include "host_device.hpp"
#include "idx.hpp"
#include "patch_side.hpp"
#include "rank_threads.hpp"
#include "run_adaptive.hpp"
#include "run_pipeline.hpp"
#include "run_sparsified.hpp"
#include "text.hpp"
#include "trainer.hpp"
#include "weir/trace/chrome.hpp"
#include "weir/trace/svg.hpp"
#include "whole_gradients.hpp"

#if WEIR_TRAIN_WITH_MPI
#include "weir/mpi/communicator.hpp"
#endif

namespace weir_train {
namespace {

[[noreturn]] void refuse_batch(Configuration const& c, std::size_t limit, std::string const& why) {
  std::size_t const most = limit / c.workers / c.micro_batches / c.ranks;
  throw UsageError("--batch " + std::to_string(c.batch) + ": times " + counted(c.workers, "worker") + ", " +
                   counted(c.micro_batches, "micro-batch") + " and " + counted(c.ranks, "rank") + ", " + why +
                   "; " + (most >= 1 ? "at most " + std::to_string(most) : "fewer of those") +
                   " would be right");
}

/// More than the samples of an epoch is a single step, in which some micro-batches have fewer or none.
void check_batch(Configuration const& c, std::size_t samples) {
  constexpr std::size_t limit = std::numeric_limits<std::int64_t>::max();
  if (c.batch > limit / c.workers / c.micro_batches / c.ranks)
    refuse_batch(c, limit, "more samples in a step than can be counted");
  std::size_t const most_micro_batches = std::max<std::size_t>(samples, 1 << 20);
  if (c.micro_batches > most_micro_batches) {
    throw UsageError("--micro-batches " + std::to_string(c.micro_batches) + ": for " +
                     std::to_string(samples) + " training samples; at most " +
                     std::to_string(most_micro_batches) + " would be right");
  }
  if (c.adaptive && c.global_batch() > samples) {
    refuse_batch(c, samples,
                 "more than the " + std::to_string(samples) +
                     " training samples, so that --adaptive has no full step to measure");
  }
  if (c.workers * c.ranks > samples) {
    throw UsageError("--workers " + std::to_string(c.workers) + ": times " + counted(c.ranks, "rank") +
                     ", more than the " + std::to_string(samples) +
                     " training samples, of which each needs one; fewer of those would be right");
  }
}

void check_fit(Configuration const& c, Images const& images) {
  check_batch(c, images.size());
  if (c.model == ModelKind::cnn && (images.shape.height < 4 || images.shape.width < 4)) {
    throw UsageError("--model cnn: images of " + std::to_string(images.shape.height) + " x " +
                     std::to_string(images.shape.width) +
                     " pixels; 4 x 4 or more, or --model mlp, would be right");
  }
  if (c.model == ModelKind::transformer && !images.is_text() && patch_side(images.shape) == 0) {
    throw UsageError("--model transformer: images of " + std::to_string(images.shape.height) + " x " +
                     std::to_string(images.shape.width) +
                     " pixels, which cannot be cut into squares of 2 x 2; even numbers, or --model mlp, "
                     "would be right");
  }
}

Outcome train(Run const& run) {
  CommKind const comm = run.configuration.comm;
#if WEIR_TRAIN_WITH_CUDA
  if (run.configuration.device == DeviceKind::cuda) return train_on_gpus(run);
#endif
  if (run.configuration.adaptive) return train_adaptively(run);
  if (run.configuration.sparsification) return train_sparsified(run);
  if (comm == CommKind::threads) {
    auto const communicators = weir::ThreadCommunicator::group(run.configuration.ranks);
    return train_on_threads(communicators.size(), [&](std::size_t rank) {
      return train_or_abort(communicators[rank], [&] {
        CountingMemory memory;
        return train_rank<HostDevice, WholeGradients>(run, communicators[rank], memory);
      });
    });
  }
  CountingMemory memory;
#if WEIR_TRAIN_WITH_MPI
  if (comm == CommKind::mpi)
    return train_rank<HostDevice, WholeGradients>(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory);
#endif
  return train_rank<HostDevice, WholeGradients>(run, weir::SelfCommunicator(), memory);
}

/// Of a long run only the end can be looked at.
std::vector<weir::Span> last_steps(std::vector<weir::Span> spans, std::uint64_t count) {
  std::uint64_t last = 0;
  for (weir::Span const& span : spans) last = std::max(last, span.step);
  std::erase_if(spans, [&](weir::Span const& span) { return span.step + count <= last; });
  return spans;
}

}  // namespace

Dataset load_data(Configuration const& configuration) {
  Dataset data = configuration.text               ? Text::load(*configuration.text)
                 : configuration.idx              ? Idx::load(*configuration.idx)
                 : !configuration.cifar10.empty() ? Cifar10::load(configuration.cifar10)
                                                  : Digits::load(WEIR_EXAMPLE_DATA_DIR "/digits.csv");
  check_fit(configuration, data.train);
  return data;
}

Outcome run(Configuration const& configuration, Dataset const& data,
            std::span<weir::Archive const> checkpoints,
            std::function<void(std::exception const&)> const& failed) {
  if (configuration.pipeline) return train_pipelines({configuration, data, checkpoints, nullptr, failed});
  constexpr std::size_t capacity = 1 << 16;
  std::optional<weir::Recorder> recorder;
  if (!configuration.trace.empty() || !configuration.timeline.empty()) recorder.emplace(capacity);
  Outcome const outcome = train({configuration, data, checkpoints, recorder ? &*recorder : nullptr, failed});
  if (!recorder || !configuration.writes_files) return outcome;
  FileSet files;
  if (auto* file = files.open(configuration.trace)) file->write(weir::chrome_trace(recorder->snapshot()));
  if (auto* file = files.open(configuration.timeline))
    file->write(weir::svg_timeline(last_steps(recorder->snapshot(), 3),
                                   {.title = "The last steps of " + title(configuration)}));
  files.commit();
  return outcome;
}

}  // namespace weir_train
