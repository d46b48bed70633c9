#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/comm/group.hpp"
#include "weir/comm/wait_for_ranks.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1::detail {

/// The memory that messages of a host go through: on the host where the device copies from and to, and on the
/// device. It stays in its place while a `HostSide` has it.
template <StagingBackend E, RankedCommunicator C>
class Bounce {
 public:
  /// `bytes`: of the messages that are under way at a time; more is taken when it comes.
  Bounce(E const& executor, C communicator, std::size_t bytes)
      : communicator_(std::move(communicator)),
        here_(executor.host_memory(), bytes),
        there_(executor, bytes),
        point_(executor) {}

  Bounce(Bounce const&) = delete;
  Bounce& operator=(Bounce const&) = delete;

  /// Messages go by this place of a stream from now on.
  void set_point(E const& point) { point_ = point; }
  E const& point() const { return point_; }
  C const& communicator() const { return communicator_; }
  TransferGroup<typename E::memory_space>& transfers() { return transfers_; }

  /// Makes room for so many bytes.
  void reserve(std::size_t bytes) {
    here_.take(bytes);
    there_.take(bytes);
  }
  template <class T>
  ViewOn<T, E> there(std::size_t offset, std::size_t elements) {
    return {reinterpret_cast<T*>(there_.take(0).data() + offset), elements};
  }

  void send(std::size_t offset, void const* data, std::size_t bytes) {
    if (bytes == 0) return;
    std::byte* const here = here_.take(0).data() + offset;
    std::memcpy(here, data, bytes);
    copy_from_host(point_, here, there_.take(0).data() + offset, bytes);
  }
  /// What comes lies here once `wait` has returned.
  void fetch(std::size_t offset, std::size_t bytes) {
    copy_to_host(point_, there_.take(0).data() + offset, here_.take(0).data() + offset, bytes);
  }
  void take(std::size_t offset, void* data, std::size_t bytes) {
    if (bytes != 0) std::memcpy(data, here_.take(0).data() + offset, bytes);
  }

  void wait() const { wait_for_ranks(point_, communicator_); }

 private:
  using HostMemory = decltype(std::declval<E const&>().host_memory());

  C communicator_;
  GrowingBuffer<std::byte, HostMemory> here_;
  GrowingBuffer<std::byte, E> there_;
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
    std::size_t const bytes = data.size() * sizeof(T);
    bounce_->reserve(bytes);
    bounce_->send(0, data.data(), bytes);
    bounce_->communicator().all_reduce(bounce_->point(), bounce_->template there<T>(0, data.size()), op);
    bounce_->fetch(0, bytes);
    bounce_->wait();
    bounce_->take(0, data.data(), bytes);
  }

  template <class Host, Transferable T>
  requires GatheringCommunicator<C, E, T>
  void all_gather(Host const&, View<std::type_identity_t<T> const> block, View<T> all) const {
    std::size_t const bytes = block.size() * sizeof(T);
    bounce_->reserve(size() * bytes);
    bounce_->send(rank() * bytes, block.data(), bytes);
    bounce_->communicator().all_gather(
        bounce_->point(), ViewOn<T const, E>(bounce_->template there<T>(rank() * bytes, block.size())),
        bounce_->template there<T>(0, all.size()));
    bounce_->fetch(0, size() * bytes);
    bounce_->wait();
    bounce_->take(0, all.data(), size() * bytes);
  }

  template <class Host>
  requires PointToPointCommunicator<C, E>
  void exchange(Host const&, std::span<Transfer<HostSpace> const> transfers) const {
    auto& group = bounce_->transfers();
    group.clear();
    bounce_->reserve(for_each_place(transfers, [](auto const&, std::size_t, bool) {}));
    for_each_place(transfers, [&](auto const& transfer, std::size_t place, bool is_new) {
      auto const message = bounce_->template there<std::byte>(place, transfer.bytes);
      if (!is_send(transfer)) return group.receive(message, transfer.peer);
      if (is_new) bounce_->send(place, transfer.data, transfer.bytes);
      group.send(message, transfer.peer);
    });
    bounce_->communicator().exchange(bounce_->point(), group.transfers());
    for_each_place(transfers, [&](auto const& transfer, std::size_t place, bool) {
      if (!is_send(transfer)) bounce_->fetch(place, transfer.bytes);
    });
    bounce_->wait();
    for_each_place(transfers, [&](auto const& transfer, std::size_t place, bool) {
      if (!is_send(transfer)) bounce_->take(place, transfer.data, transfer.bytes);
    });
  }

 private:
  static bool is_send(Transfer<HostSpace> const& transfer) {
    return transfer.direction == Transfer<HostSpace>::Direction::send;
  }

  /// Calls `f(transfer, place, is_new)`; what is sent to several peers has one place. Returns the bytes.
  template <class Function>
  static std::size_t for_each_place(std::span<Transfer<HostSpace> const> transfers, Function const& f) {
    Transfer<HostSpace> const* sent = nullptr;
    std::size_t place_of_sent = 0;
    std::size_t next = 0;
    for (auto const& transfer : transfers) {
      if (is_send(transfer) && sent != nullptr && sent->data == transfer.data &&
          sent->bytes == transfer.bytes) {
        f(transfer, place_of_sent, false);
        continue;
      }
      f(transfer, next, true);
      if (is_send(transfer)) {
        sent = &transfer;
        place_of_sent = next;
      }
      next += (transfer.bytes + 15) / 16 * 16;
    }
    return next;
  }

  Bounce<E, C>* bounce_;
};

}  // namespace weir::inline v1::detail
