#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/comm/group.hpp"
#include "weir/comm/wait_for_ranks.hpp"
#include "weir/compress/coarse_size.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1::detail {

/// The device memory that messages of the host go through. It stays in its place while a `HostSide` has it.
template <StagingBackend E, RankedCommunicator C>
class Bounce {
 public:
  Bounce(E const& executor, C communicator)
      : communicator_(std::move(communicator)), memory_(executor), point_(executor) {}

  Bounce(Bounce const&) = delete;
  Bounce& operator=(Bounce const&) = delete;

  /// Messages go by this place of a stream from now on.
  void set_point(E const& point) { point_ = point; }
  E const& point() const { return point_; }
  C const& communicator() const { return communicator_; }

  /// Something has been written to all of it, since what is sent may be a little more than what is meant.
  std::byte* take(std::size_t bytes) {
    std::size_t const capacity = memory_.capacity();
    auto const memory = memory_.take((bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    if (memory_.capacity() != capacity) set_zero(point_, memory_.take(memory_.capacity()));
    return reinterpret_cast<std::byte*>(memory.data());
  }

  void wait() const { wait_for_ranks(point_, communicator_); }

  TransferGroup<typename E::memory_space>& transfers() { return transfers_; }

 private:
  C communicator_;
  GrowingBuffer<std::uint64_t, E> memory_;
  E point_;
  TransferGroup<typename E::memory_space> transfers_;
};

/// Host memory over a communicator of device memory: a handle of it, for what a host does with the pairs of a
/// device.
///
/// Cost: the way to the device and back. Streams: each call has taken effect when it returns. Errors: those
/// of the communicator.
template <StagingBackend E, RankedCommunicator C>
class HostSide {
  template <class T>
  using View = TensorView<T, HostSpace>;

 public:
  explicit HostSide(Bounce<E, C>& bounce) : bounce_(&bounce) {}

  std::size_t rank() const { return bounce_->communicator().rank(); }
  std::size_t size() const { return bounce_->communicator().size(); }
  void abort() const noexcept { bounce_->communicator().abort(); }

  template <class Host, Reducible T>
  requires ReducingCommunicator<C, E, T>
  void all_reduce(Host const&, View<T> data, ReduceOp op = ReduceOp::sum) const {
    ViewOn<T, E> const there = send(data, 0, data.size());
    bounce_->communicator().all_reduce(bounce_->point(), there, op);
    fetch(there, data);
  }

  template <class Host, Transferable T>
  requires GatheringCommunicator<C, E, T>
  void all_gather(Host const&, View<std::type_identity_t<T> const> block, View<T> all) const {
    ViewOn<T, E> const there = send(block, rank() * block.size(), all.size());
    bounce_->communicator().all_gather(
        bounce_->point(), ViewOn<T const, E>(there.part(rank() * block.size(), block.size())), there);
    fetch(there, all);
  }

  template <class Host>
  requires PointToPointCommunicator<C, E>
  void exchange(Host const&, std::span<Transfer<HostSpace> const> transfers) const {
    std::size_t bytes = 0;
    for (auto const& transfer : transfers) bytes += room_of(transfer);
    std::byte* const memory = bounce_->take(bytes);
    auto& group = bounce_->transfers();
    group.clear();
    std::byte* place = memory;
    for (auto const& transfer : transfers) {
      ViewOn<std::byte, E> const message(place, coarse_size(transfer.bytes));
      if (is_send(transfer)) {
        copy_from_host(bounce_->point(), transfer.data, place, transfer.bytes);
        group.send(message, transfer.peer);
      } else {
        group.receive(message, transfer.peer);
      }
      place += room_of(transfer);
    }
    bounce_->communicator().exchange(bounce_->point(), group.transfers());
    place = memory;
    for (auto const& transfer : transfers) {
      if (!is_send(transfer)) copy_to_host(bounce_->point(), place, transfer.data, transfer.bytes);
      place += room_of(transfer);
    }
    bounce_->wait();
  }

 private:
  static bool is_send(Transfer<HostSpace> const& transfer) {
    return transfer.direction == Transfer<HostSpace>::Direction::send;
  }
  static std::size_t room_of(Transfer<HostSpace> const& transfer) {
    return (coarse_size(transfer.bytes) + 15) / 16 * 16;
  }

  /// So many elements on the device, among which those of the host are from `first` on.
  template <class T>
  ViewOn<std::remove_const_t<T>, E> send(View<T> from, std::size_t first, std::size_t elements) const {
    using Element = std::remove_const_t<T>;
    auto* const there = reinterpret_cast<Element*>(bounce_->take(elements * sizeof(Element)));
    copy_from_host(bounce_->point(), from.data(), there + first, from.size() * sizeof(Element));
    return {there, elements};
  }
  template <class T>
  void fetch(ViewOn<T, E> there, View<T> to) const {
    copy_to_host(bounce_->point(), there.data(), to.data(), to.size() * sizeof(T));
    bounce_->wait();
  }

  Bounce<E, C>* bounce_;
};

}  // namespace weir::inline v1::detail
