#pragma once

#include <atomic>
#include <memory>

#include "weir/core/error.hpp"
#include "weir/core/progress.hpp"

namespace weir::inline v1 {

/// A reusable mark in a host stream, with the meaning of a CUDA event.
///
/// Two counters make it reusable without ambiguity. `announced` counts the calls of `record`, `reached` the
/// marks that the stream has passed. Who waits takes the number announced at that moment and waits until it
/// is reached: a later record changes nothing for them, and an event never recorded does not block.
class HostEvent {
 public:
  using Generation = Progress::Count;

  HostEvent() : state_(std::make_shared<State>()) {}

  /// Called by `record`. Errors: `ContractViolation` if another stream has recorded this event before.
  Generation announce(void const* stream) const {
    void const* first = nullptr;
    if (!state_->stream.compare_exchange_strong(first, stream) && first != stream) {
      throw ContractViolation("an event is recorded by one stream only");
    }
    return state_->announced.fetch_add(1, std::memory_order_acq_rel) + 1;
  }

  Generation announced() const { return state_->announced.load(std::memory_order_acquire); }
  bool reached(Generation generation) const { return state_->reached.count() >= generation; }
  void reach(Generation generation) const { state_->reached.advance_to(generation); }
  void wait_until_reached(Generation generation) const { state_->reached.wait_for(generation); }

 private:
  struct State {
    std::atomic<Generation> announced = 0;
    Progress reached;
    std::atomic<void const*> stream = nullptr;
  };
  std::shared_ptr<State> state_;
};

}  // namespace weir::inline v1
