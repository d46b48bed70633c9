#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "weir/comm/fingerprint.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1::detail {

/// One issuing order: two threads of one rank would mix up their operations, so the second is refused.
class NcclTurn {
 public:
  NcclTurn(std::atomic<bool>& is_taken, CommOperation operation, std::size_t rank) : is_taken_(is_taken) {
    if (!is_taken.exchange(true, std::memory_order_acquire)) return;
    throw ContractViolation(
        std::string(name_of(operation)) + ": another thread is in an operation of rank " +
        std::to_string(rank) +
        "; a communicator has one issuing order, so call it from one thread, or split it");
  }
  NcclTurn(NcclTurn const&) = delete;
  NcclTurn& operator=(NcclTurn const&) = delete;
  ~NcclTurn() { is_taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& is_taken_;
};

}  // namespace weir::inline v1::detail
