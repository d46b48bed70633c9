#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"

/// Runs `f(communicator, executor)` once per rank, each on a thread of its own; what they threw, by rank.
template <class Function>
std::vector<std::exception_ptr> on_thread_ranks(std::vector<weir::ThreadCommunicator> ranks,
                                                Function const& f) {
  std::vector<std::exception_ptr> failures(ranks.size());
  std::vector<std::thread> threads;
  std::size_t const size = ranks.size();
  for (std::size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&failures, &f, rank, communicator = std::move(ranks[rank])]() mutable {
      weir::HostExecutor const executor;
      try {
        f(communicator, executor);
      } catch (...) {
        failures[rank] = std::current_exception();
      }
    });
  }
  ranks.clear();
  for (std::thread& thread : threads) thread.join();
  return failures;
}

/// The same for a new group; what the first rank that failed has thrown is thrown.
template <class Function>
void on_all_thread_ranks(std::size_t size, Function const& f) {
  for (auto const& failure : on_thread_ranks(weir::ThreadCommunicator::group(size), f)) {
    if (failure) std::rethrow_exception(failure);
  }
}

template <class Error>
bool is_a(std::exception_ptr const& failure) {
  if (!failure) return false;
  try {
    std::rethrow_exception(failure);
  } catch (Error const&) {
    return true;
  } catch (...) {
    return false;
  }
}

inline std::string text_of(std::exception_ptr const& failure) {
  if (!failure) return {};
  try {
    std::rethrow_exception(failure);
  } catch (std::exception const& error) {
    return error.what();
  }
}
