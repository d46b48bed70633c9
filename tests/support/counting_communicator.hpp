#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/comm/threads.hpp"

/// Passes everything on, and calls `on_reduce(elements)` when the turn of an all-reduce of floats has come.
template <class OnReduce>
class CountingCommunicator {
 public:
  static constexpr bool stream_ordered = weir::ThreadCommunicator::stream_ordered;
  static constexpr bool device_pointers = weir::ThreadCommunicator::device_pointers;
  static constexpr bool capturable = weir::ThreadCommunicator::capturable;
  static constexpr bool bounded_wait = weir::ThreadCommunicator::bounded_wait;
  static constexpr std::size_t max_count = weir::ThreadCommunicator::max_count;

  CountingCommunicator(weir::ThreadCommunicator communicator, OnReduce& on_reduce)
      : communicator_(std::move(communicator)), on_reduce_(&on_reduce) {}

  std::size_t rank() const { return communicator_.rank(); }
  std::size_t size() const { return communicator_.size(); }
  void abort() const noexcept { communicator_.abort(); }

  template <weir::Executor E>
  void reserve(E const& executor, std::size_t bytes) const {
    communicator_.reserve(executor, bytes);
  }

  template <weir::HostOrderedExecutor E>
  void all_reduce(E const& executor, weir::TensorView<float, weir::HostSpace> data,
                  weir::ReduceOp op = weir::ReduceOp::sum) const {
    executor.submit([on_reduce = on_reduce_, size = data.size()] { (*on_reduce)(size); });
    communicator_.all_reduce(executor, data, op);
  }

  template <weir::HostOrderedExecutor E>
  void all_reduce(E const& executor, weir::TensorView<std::uint64_t, weir::HostSpace> data,
                  weir::ReduceOp op = weir::ReduceOp::sum) const {
    communicator_.all_reduce(executor, data, op);
  }

  template <weir::HostOrderedExecutor E>
  void all_gather(E const& executor, weir::TensorView<std::uint64_t const, weir::HostSpace> block,
                  weir::TensorView<std::uint64_t, weir::HostSpace> all) const {
    communicator_.all_gather(executor, block, all);
  }

 private:
  weir::ThreadCommunicator communicator_;
  OnReduce* on_reduce_;
};
