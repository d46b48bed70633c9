#pragma once

#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "weir/cuda/executor.hpp"
#include "weir/tensor/buffer.hpp"

/// Runs `f(rank)` for `size` ranks, each on a thread of its own; what they threw, by rank.
template <class Function>
std::vector<std::exception_ptr> on_rank_threads(std::size_t size, Function const& f) {
  std::vector<std::exception_ptr> failures(size);
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&failures, &f, rank] {
      try {
        f(rank);
      } catch (...) {
        failures[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

/// A vector in device memory.
template <class T>
class OnDevice {
 public:
  OnDevice(weir::CudaExecutor const& executor, std::vector<T> const& content)
      : executor_(executor), memory_(executor, content.size()) {
    weir::copy_from_host(executor, content.data(), memory_.data(), content.size() * sizeof(T));
    executor.synchronize();
  }

  weir::TensorView<T, weir::DeviceSpace> view() const { return memory_.view(); }

  /// What is there when the stream has got here.
  std::vector<T> content() const {
    std::vector<T> result(memory_.size());
    weir::copy_to_host(executor_, memory_.data(), result.data(), result.size() * sizeof(T));
    executor_.synchronize();
    return result;
  }

 private:
  weir::CudaExecutor executor_;
  weir::Buffer<T, weir::CudaExecutor> memory_;
};

template <class T>
OnDevice(weir::CudaExecutor const&, std::vector<T> const&) -> OnDevice<T>;
