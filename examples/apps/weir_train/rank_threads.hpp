#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "is_consequence.hpp"
#include "report.hpp"

namespace weir_train {

/// Calls `train(rank)` for each rank on a thread of its own; returns what rank 0 does. Rethrows what went
/// wrong rather than what it led to on other ranks. Where not all threads can be made, no rank begins: it
/// would wait for those that are missing.
template <class Thread = std::jthread, class Train>
Outcome train_on_threads(std::size_t ranks, Train const& train) {
  std::vector<Outcome> outcomes(ranks);
  std::vector<std::exception_ptr> failures(ranks);
  enum class Order { wait, begin, leave };
  std::atomic<Order> order = Order::wait;
  auto const give = [&order](Order given) {
    order = given;
    order.notify_all();
  };
  {
    std::vector<Thread> threads;
    threads.reserve(ranks);
    try {
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        threads.emplace_back([&, rank] {
          order.wait(Order::wait);
          if (order == Order::leave) return;
          try {
            outcomes[rank] = train(rank);
          } catch (...) {
            failures[rank] = std::current_exception();
          }
        });
      }
    } catch (...) {
      give(Order::leave);
      throw;
    }
    give(Order::begin);
  }
  std::exception_ptr consequence;
  for (std::exception_ptr const& failure : failures) {
    if (failure == nullptr) continue;
    if (!is_consequence(failure)) std::rethrow_exception(failure);
    consequence = failure;
  }
  if (consequence != nullptr) std::rethrow_exception(consequence);
  return outcomes.front();
}

/// Returns what `train()` does; when that fails, releases the other ranks.
template <class Communicator, class Train>
Outcome train_or_abort(Communicator const& communicator, Train const& train) {
  try {
    return train();
  } catch (...) {
    communicator.abort();
    throw;
  }
}

}  // namespace weir_train
