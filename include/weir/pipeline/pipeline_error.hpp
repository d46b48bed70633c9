#pragma once

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/operation.hpp"

namespace weir::inline v1 {

/// An operation of a pipeline failed. `cause()` is what it threw. The pipeline refuses further runs until it
/// is reset.
class PipelineError : public std::runtime_error {
 public:
  PipelineError(std::size_t worker, Operation const& operation, std::exception_ptr cause)
      : PipelineError(worker, operation, text_of(cause), cause) {}

  std::size_t worker() const { return worker_; }
  Operation const& operation() const { return operation_; }
  std::exception_ptr cause() const { return cause_; }

 protected:
  PipelineError(std::size_t worker, Operation const& operation, std::string const& text,
                std::exception_ptr cause = nullptr)
      : std::runtime_error("worker " + std::to_string(worker) + ", " + cell_text(operation) + ": " + text),
        worker_(worker),
        operation_(operation),
        cause_(std::move(cause)) {}

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

  std::size_t worker_;
  Operation operation_;
  std::exception_ptr cause_;
};

/// No worker of a pipeline has finished an operation within the time of the watchdog. The text names what
/// each of them is at, and the edge that it waits for; worker and operation are those of who noticed.
class PipelineStalled : public PipelineError {
 public:
  PipelineStalled(std::size_t worker, Operation const& operation, std::string const& text)
      : PipelineError(worker, operation, text) {}
};

}  // namespace weir::inline v1
