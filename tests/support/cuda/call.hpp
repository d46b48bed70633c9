#pragma once

#include <string>
#include <utility>

#include "support/cuda/machine.hpp"

namespace stand_in {

/// The latest failure of this thread.
inline cudaError_t& last_error() {
  static thread_local cudaError_t code = cudaSuccess;
  return code;
}

inline cudaError_t remember(cudaError_t code) {
  if (code != cudaSuccess) last_error() = code;
  return code;
}

/// Does what a function of the runtime does: `f(machine, lock)`.
template <class Function>
cudaError_t call(char const* name, Function const& f) {
  Inside const inside;
  Machine* const machine = Machine::current();
  if (machine == nullptr) return remember(cudaErrorInsufficientDriver);
  if (is_in_operation()) {
    machine->violation(std::string(name) + " is called from a host callback");
    return remember(cudaErrorNotPermitted);
  }
  Machine::Lock lock(machine->mutex);
  if (auto const code = machine->enter(name)) return remember(code);
  return remember(f(*machine, lock));
}

inline cudaError_t synchronize(Machine& machine, Machine::Lock& lock, OperationPtr const& operation) {
  return machine.run_until_done(operation, lock) ? cudaSuccess : cudaErrorLaunchTimeout;
}

}  // namespace stand_in
