#include "run.hpp"

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
    throw UsageError("--batch " + std::to_string(c.batch) + ": times " + std::to_string(c.workers) + " workers, " +
                     std::to_string(c.micro_batches) + " micro-batches and " + std::to_string(c.ranks) +
                     " ranks more than the " + std::to_string(images.size()) + " training samples; " +
                     (most >= 1 ? "at most " + std::to_string(static_cast<std::size_t>(most)) : "fewer of those") +
                     " would be right");
  }
  if (c.model == ModelKind::cnn && (images.shape.height < 4 || images.shape.width < 4)) {
    throw UsageError("--model cnn: images of " + std::to_string(images.shape.height) + " x " +
                     std::to_string(images.shape.width) + " pixels; 4 x 4 or more, or --model mlp, would be right");
  }
}

/// Each rank on a thread of its own. Rethrows what went wrong first rather than what it led to.
Outcome run_threads(Configuration const& c, Dataset const& data, weir::Archive const* checkpoint,
                    weir::Recorder* recorder) {
  auto communicators = weir::ThreadCommunicator::group(c.ranks);
  std::vector<std::exception_ptr> failures(c.ranks);
  Outcome outcome;
  std::vector<std::jthread> threads;
  for (std::size_t rank = 0; rank < c.ranks; ++rank) {
    threads.emplace_back([&, rank, communicator = std::move(communicators[rank])] {
      try {
        Trainer trainer(c, data, communicator, checkpoint, recorder);
        Outcome const mine = trainer.run();
        if (rank == 0) outcome = mine;
      } catch (...) {
        failures[rank] = std::current_exception();
        communicator.abort();
      }
    });
  }
  threads.clear();
  std::exception_ptr consequence;
  for (std::exception_ptr const& failure : failures) {
    if (failure == nullptr) continue;
    try {
      std::rethrow_exception(failure);
    } catch (weir::PeerAborted const&) {
      consequence = failure;
    }
  }
  if (consequence != nullptr) std::rethrow_exception(consequence);
  return outcome;
}

Outcome run_ranks(Configuration const& c, Dataset const& data, weir::Archive const* checkpoint,
                  weir::Recorder* recorder) {
  if (c.comm == CommKind::threads) return run_threads(c, data, checkpoint, recorder);
#if WEIR_TRAIN_WITH_MPI
  if (c.comm == CommKind::mpi)
    return Trainer(c, data, weir::MpiCommunicator(MPI_COMM_WORLD), checkpoint, recorder).run();
#endif
  return Trainer(c, data, weir::SelfCommunicator(), checkpoint, recorder).run();
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
  Dataset data = configuration.idx ? Idx::load(*configuration.idx) : Digits::load(WEIR_EXAMPLE_DATA_DIR "/digits.csv");
  check_fit(configuration, data.train);
  return data;
}

Outcome run(Configuration const& configuration, Dataset const& data, weir::Archive const* checkpoint) {
  constexpr std::size_t capacity = 1 << 16;
  std::optional<weir::Recorder> recorder;
  if (!configuration.trace.empty() || !configuration.timeline.empty()) recorder.emplace(capacity);
  Outcome const outcome = run_ranks(configuration, data, checkpoint, recorder ? &*recorder : nullptr);
  if (!configuration.trace.empty()) weir::write_chrome(configuration.trace, recorder->snapshot());
  if (!configuration.timeline.empty()) {
    weir::write_svg(configuration.timeline, last_steps(recorder->snapshot(), 3),
                    {.title = "The last steps of " + title(configuration)});
  }
  return outcome;
}

}  // namespace weir_train
