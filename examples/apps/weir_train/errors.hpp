#pragma once

#include <stdexcept>

namespace weir_train {

/// An argument that cannot be used: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file that cannot be read, is not what it should be, or cannot be written, or a run that went wrong: exit
/// status 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A run that went wrong on all ranks alike, so that none waits for another.
class SharedRunError : public RunError {
 public:
  using RunError::RunError;
};

}  // namespace weir_train
