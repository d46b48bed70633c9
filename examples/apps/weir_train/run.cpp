#include "run.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "digits.hpp"
#include "idx.hpp"
#include "trainer.hpp"

#if WEIR_TRAIN_WITH_MPI
#include "weir/mpi/communicator.hpp"
#endif

namespace weir_train {
namespace {

void check_fit(Configuration const& c, Images const& images) {
  auto const real = [](std::size_t value) { return static_cast<double>(value); };
  double const parts = real(c.workers) * real(c.micro_batches) * real(c.ranks);
  if (real(c.batch) * parts > real(images.size())) {
    double const most = std::floor(real(images.size()) / parts);
    throw UsageError(
        "--batch " + std::to_string(c.batch) + ": times " + counted(c.workers, "worker") + ", " +
        counted(c.micro_batches, "micro-batch") + " and " + counted(c.ranks, "rank") + ", more than the " +
        std::to_string(images.size()) + " training samples; " +
        (most >= 1 ? "at most " + std::to_string(static_cast<std::size_t>(most)) : "fewer of those") +
        " would be right");
  }
  if (c.model == ModelKind::cnn && (images.shape.height < 4 || images.shape.width < 4)) {
    throw UsageError("--model cnn: images of " + std::to_string(images.shape.height) + " x " +
                     std::to_string(images.shape.width) +
                     " pixels; 4 x 4 or more, or --model mlp, would be right");
  }
}

template <class Communicator>
Outcome train_rank(Run const& run, Communicator const& communicator, CountingMemory& memory) {
  return Trainer(run, communicator, memory).train();
}

/// Each rank on a thread of its own. Rethrows what went wrong rather than what it led to.
Outcome train_threads(Run const& run) {
  std::size_t const ranks = run.configuration.ranks;
  auto communicators = weir::ThreadCommunicator::group(ranks);
  std::vector<Outcome> outcomes(ranks);
  std::vector<std::exception_ptr> failures(ranks);
  std::vector<std::jthread> threads;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank, communicator = communicators[rank]] {
      try {
        CountingMemory memory;
        outcomes[rank] = train_rank(run, communicator, memory);
      } catch (...) {
        failures[rank] = std::current_exception();
        communicator.abort();
      }
    });
  }
  threads.clear();
  std::exception_ptr consequence;
  for (std::exception_ptr const& failure : failures) {
    try {
      if (failure != nullptr) std::rethrow_exception(failure);
    } catch (weir::PeerAborted const&) {
      consequence = failure;
    }
  }
  if (consequence != nullptr) std::rethrow_exception(consequence);
  return outcomes.front();
}

Outcome train(Run const& run) {
  CommKind const comm = run.configuration.comm;
  if (comm == CommKind::threads) return train_threads(run);
  CountingMemory memory;
#if WEIR_TRAIN_WITH_MPI
  if (comm == CommKind::mpi) return train_rank(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory);
#endif
  return train_rank(run, weir::SelfCommunicator(), memory);
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
  Dataset data =
      configuration.idx ? Idx::load(*configuration.idx) : Digits::load(WEIR_EXAMPLE_DATA_DIR "/digits.csv");
  check_fit(configuration, data.train);
  return data;
}

Outcome run(Configuration const& configuration, Dataset const& data, weir::Archive const* checkpoint,
            std::function<void(std::exception const&)> const& failed) {
  constexpr std::size_t capacity = 1 << 16;
  std::optional<weir::Recorder> recorder;
  if (!configuration.trace.empty() || !configuration.timeline.empty()) recorder.emplace(capacity);
  Outcome const outcome = train({configuration, data, checkpoint, recorder ? &*recorder : nullptr, failed});
  if (!recorder || !configuration.writes_files) return outcome;
  if (!configuration.trace.empty()) weir::write_chrome(configuration.trace, recorder->snapshot());
  if (!configuration.timeline.empty()) {
    weir::write_svg(configuration.timeline, last_steps(recorder->snapshot(), 3),
                    {.title = "The last steps of " + title(configuration)});
  }
  return outcome;
}

}  // namespace weir_train
