#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "checkpoint_paths.hpp"
#include "error_text.hpp"
#include "errors.hpp"
#include "gpus.hpp"
#include "is_consequence.hpp"
#include "options.hpp"
#include "process_failure.hpp"
#include "processes.hpp"
#include "report.hpp"
#include "run.hpp"
#include "run_state.hpp"
#include "standard_output.hpp"
#include "tour.hpp"
#include "weir/core/file_replacement.hpp"

namespace {

using namespace weir_train;

constexpr int success = 0;
constexpr int failure = 1;
constexpr int unusable_arguments = 2;

/// The program in one process of possibly several, all of which end with the same status.
class Program {
 public:
  explicit Program(Processes& processes) : processes_(processes) {}

  int run(int argc, char const* const* argv) {
    try {
      options_ = parse_options(argc, argv, processes_.size());
      if (!options_.help.empty()) {
        print(options_.help);
        return success;
      }
      options_.configuration.writes_files = processes_.rank() == 0;
      options_.configuration.local_rank = processes_.rank_on_this_machine();
      together([this] { prepare(); });
      report(options_.tour ? tour(options_.configuration) : std::vector{options_.configuration});
      return success;
    } catch (std::exception const& error) {
      if (processes_.rank() == 0) complain(text_of(error));
      return status_of(error);
    }
  }

 private:
  /// The host threads of one rank.
  std::size_t threads(Configuration const& c) const {
    std::size_t const here = c.is_process_each ? processes_.on_this_machine() : c.ranks;
    return std::max<std::size_t>(1, options_.threads / here);
  }

  void prepare() {
    Configuration& c = options_.configuration;
    data_ = load_data(c);
    c.batch = std::min(c.batch, data_.train.size());  // no micro-batch has more, or needs memory for more
#if WEIR_TRAIN_WITH_CUDA
    if (c.device == DeviceKind::cuda) check_gpus(c);
#endif
    if (!c.load.empty()) load_checkpoints(c);
    if (!c.load.empty() && !c.seed_is_given) c.seed = RunState::load(checkpoints_.front()).seed;
    if (!c.writes_files) return;
    try {
      // An error now rather than after the training.
      for (std::string const& path : {c.save, c.trace, c.timeline}) {
        // The reader of a pipe would take the end of this for the end of the file.
        std::error_code unknown;
        if (!path.empty() && !std::filesystem::is_fifo(path, unknown)) weir::FileReplacement probe(path);
      }
    } catch (weir::FileError const& error) {
      throw RunError(std::string(error.what()) +
                     "; a file in a folder that can be written to would be right");
    }
  }

  /// Those of the ranks in this process.
  void load_checkpoints(Configuration const& c) {
    std::size_t const first = c.is_process_each ? processes_.rank() : 0;
    for (std::size_t rank = first; rank < (c.is_process_each ? first + 1 : c.ranks); ++rank) {
      if (has_checkpoint(c, rank) || rank == first)
        checkpoints_.push_back(load_checkpoint(loaded_path(c, rank)));
    }
  }

  static weir::Archive load_checkpoint(std::string const& path) {
    std::string of_file;  // an error of reading names it
    try {
      weir::Archive archive = weir::Archive::read(path);
      of_file = path + ": ";
      RunState::load(archive);
      return archive;
    } catch (weir::ArchiveError const& error) {
      throw RunError(of_file + error.what() +
                     "; a checkpoint that weir-train --save has written would be right");
    }
  }

  /// Does something that may fail in one process only, where the others would wait for it.
  template <class Work>
  void together(Work const& work) {
    std::string error;
    bool is_usage = false;
    try {
      work();
    } catch (UsageError const& e) {
      is_usage = true;
      error = e.what();
    } catch (std::exception const& e) {
      error = error_text(options_.configuration, e);
    }
    error = processes_.first_error((error.empty() ? "" : is_usage ? "u" : "r") + error);
    if (error.empty()) return;
    if (error.front() == 'u') throw UsageError(error.substr(1));
    throw RunError(error.substr(1));
  }

  /// What a training has written stays where its report cannot be written: it may have taken hours.
  void report(std::vector<Configuration> configurations) {
    std::vector<Outcome> outcomes;
    for (Configuration& configuration : configurations) {
      configuration.threads = threads(configuration);
      try {
        outcomes.push_back(weir_train::run(configuration, data_, checkpoints_,
                                           [this](std::exception const& error) { fail(error); }));
      } catch (SharedRunError const&) {
        throw;
      } catch (std::exception const& error) {
        fail(error);
        throw;
      }
    }
    print(options_.json ? json_report(outcomes) : text_report(outcomes));
  }

  void print(std::string const& text) const {
    if (processes_.rank() == 0) write_out(text);
  }

  /// Called in a handler. Of several processes, others may be waiting for this one, and nothing can be ended
  /// in an orderly way.
  void fail(std::exception const& error) const {
    if (processes_.size().processes.value_or(1) == 1) return;
    std::string text = text_of(error);
    if (processes_.rank() != 0 && !text.starts_with("rank "))
      text = "rank " + std::to_string(processes_.rank()) + ": " + text;
    ProcessFailure const own(text, status_of(error), is_consequence(std::current_exception()));
    auto const told = processes_.failure_to_tell(own);
    if (told) complain(told->text.data());
    processes_.leave(told.value_or(own).status);
  }

  std::string text_of(std::exception const& error) const {
    std::string const text = error_text(options_.configuration, error);
    bool const is_of_file = dynamic_cast<weir::FileError const*>(&error) != nullptr;
    return is_of_file ? text + "; a file with room for it would be right" : text;
  }

  static int status_of(std::exception const& error) {
    return dynamic_cast<UsageError const*>(&error) != nullptr ? unusable_arguments : failure;
  }

  static void complain(std::string text) {
    for (char& c : text) c = c == '\n' ? ' ' : c;
    std::fprintf(stderr, "weir-train: %s\n", text.c_str());
  }

  Processes& processes_;
  Options options_;
  Dataset data_;
  std::vector<weir::Archive> checkpoints_;
};

}  // namespace

int main(int argc, char** argv) {
  Processes processes(argc, argv);
  return Program(processes).run(argc, argv);
}
