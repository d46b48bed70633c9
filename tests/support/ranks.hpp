#pragma once

#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "weir/comm/threads.hpp"

/// Calls `body(communicator)` for each rank of a new group, each on a thread of its own. Rethrows the
/// exception of the lowest rank that threw.
template <class Body>
void on_ranks(std::size_t count, Body const& body) {
  std::vector<std::exception_ptr> failures(count);
  {
    auto group = weir::ThreadCommunicator::group(count);
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < count; ++rank) {
      threads.emplace_back(
          [&body, &failure = failures[rank], communicator = std::move(group[rank])]() mutable {
            try {
              body(communicator);
            } catch (...) {
              failure = std::current_exception();
              communicator.abort();
            }
          });
    }
    for (auto& thread : threads) thread.join();
  }
  for (auto const& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}
