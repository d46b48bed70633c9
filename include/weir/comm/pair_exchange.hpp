#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/comm/group.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1::detail {

/// What the sparse sums ask of a communicator of host memory, on a point of its stream: each call has taken
/// effect when it returns.
template <class C, HostOrderedExecutor E>
requires PointToPointCommunicator<C, E> && GatheringCommunicator<C, E, std::uint64_t>
class PairExchange {
 public:
  /// `words`: that a rank hands to a gather at most.
  PairExchange(E const& executor, C communicator, std::size_t words = 1)
      : communicator_(std::move(communicator)), gathered_(executor, communicator_.size() * words) {
    group_.reserve(2 * communicator_.size());
  }

  std::size_t rank() const { return communicator_.rank(); }
  std::size_t size() const { return communicator_.size(); }
  C const& communicator() const { return communicator_; }

  /// `mine.size()` words of every rank, in rank order; valid until the next call.
  std::span<std::uint64_t const> gather(E const& point, std::span<std::uint64_t const> mine) {
    auto const all = gathered_.take(mine.size() * size());
    communicator_.all_gather(point, TensorView<std::uint64_t const, HostSpace>(mine.data(), mine.size()),
                             all);
    return {all.data(), all.size()};
  }

  /// Messages of no bytes are not sent, which both sides know.
  template <class T>
  void send(TensorView<T, HostSpace> data, std::size_t peer) {
    if (!data.empty()) group_.send(data, peer);
  }
  template <class T>
  void receive(TensorView<T, HostSpace> data, std::size_t peer) {
    if (!data.empty()) group_.receive(data, peer);
  }

  /// Does what was asked for since the last time.
  void run(E const& point) {
    if (group_.size() > 0) communicator_.exchange(point, group_.transfers());
    group_.clear();
  }

  template <class Function>
  void for_each_peer(Function const& f) const {
    for (std::size_t distance = 1; distance < size(); ++distance) f((rank() + distance) % size());
  }

 private:
  C communicator_;
  TransferGroup<HostSpace> group_;
  GrowingBuffer<std::uint64_t, E> gathered_;
};

}  // namespace weir::inline v1::detail
