#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace weir::inline v1 {

/// The caller broke a documented precondition; the text names what was wrong and what would be right.
class ContractViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Another rank has failed or left, so that a collective can never complete. The communicator stays unusable.
class PeerAborted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A rank did not take part in an operation before the communicator's deadline. The communicator stays
/// unusable.
class PeerTimeout : public std::runtime_error {
 public:
  PeerTimeout(std::string operation, std::uint64_t sequence, std::string const& detail)
      : std::runtime_error(operation + " number " + std::to_string(sequence) + ": " + detail),
        operation_(std::move(operation)),
        sequence_(sequence) {}

  /// The same one, with `more` at the end of its text.
  PeerTimeout(PeerTimeout const& other, std::string const& more)
      : std::runtime_error(other.what() + more), operation_(other.operation_), sequence_(other.sequence_) {}

  std::string const& operation() const { return operation_; }
  std::uint64_t sequence() const { return sequence_; }

 private:
  std::string operation_;
  std::uint64_t sequence_;
};

/// Ranks called different operations, or the same one with other counts, element types or layouts.
class FingerprintMismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Memory could not be had; nothing was changed.
class OutOfMemory : public std::bad_alloc {
 public:
  /// `source` is what was asked for the memory.
  explicit OutOfMemory(std::size_t bytes, std::string const& source = "the memory resource")
      : bytes_(bytes),
        text_("out of memory: " + source + " could not give " + std::to_string(bytes) + " bytes") {}

  char const* what() const noexcept override { return text_.c_str(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  std::string text_;
};

/// An archive is missing, damaged, foreign, or lacks what was asked for.
class ArchiveError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A model threw. `cause()` is what it threw.
class WorkerError : public std::runtime_error {
 public:
  WorkerError(std::size_t rank, std::size_t worker, std::size_t micro_batch, std::exception_ptr cause)
      : std::runtime_error("rank " + std::to_string(rank) + ", worker " + std::to_string(worker) +
                           ", micro-batch " + std::to_string(micro_batch) + ": " + text_of(cause)),
        rank_(rank),
        worker_(worker),
        micro_batch_(micro_batch),
        cause_(std::move(cause)) {}

  std::size_t rank() const { return rank_; }
  std::size_t worker() const { return worker_; }
  std::size_t micro_batch() const { return micro_batch_; }
  std::exception_ptr cause() const { return cause_; }

 private:
  static std::string text_of(std::exception_ptr const& cause) {
    try {
      std::rethrow_exception(cause);
    } catch (std::exception const& error) {
      return error.what();
    } catch (...) {
      return "an exception that is not a std::exception";
    }
  }

  std::size_t rank_;
  std::size_t worker_;
  std::size_t micro_batch_;
  std::exception_ptr cause_;
};

/// `stop` was called: the steps under way have not taken effect.
class StepStopped : public std::runtime_error {
 public:
  StepStopped() : std::runtime_error("the step was stopped") {}
};

/// A step failed after some of its buckets had been applied: the weights belong to no step.
class TornStep : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A gradient holds a NaN or an infinity, under a policy that does not allow it.
class NonFiniteGradient : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace weir::inline v1
