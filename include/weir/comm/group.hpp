#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "weir/comm/wire_type.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// One message to or from another rank. Messages between two ranks are matched in the order of their groups.
template <class Space>
struct Transfer {
  enum class Direction : std::uint8_t { send, receive };

  Direction direction;
  WireType type;
  std::size_t peer;
  std::size_t bytes;
  void* data;  // only read when sending
};

/// Sends and receives that are posted together, so that no order of them can deadlock. Filled once while
/// binding, exchanged again and again: `communicator.exchange(executor, group.transfers())`.
///
/// Streams: the group and the memory of its views live until the exchange has run.
template <class Space>
class TransferGroup {
 public:
  template <Transferable T>
  void send(TensorView<T, Space> data, std::size_t peer) {
    add(Transfer<Space>::Direction::send, data, peer);
  }

  template <Transferable T>
  requires(!std::is_const_v<T>) void receive(TensorView<T, Space> data, std::size_t peer) {
    add(Transfer<Space>::Direction::receive, data, peer);
  }

  /// Makes room for so many messages at once.
  void reserve(std::size_t messages) { transfers_.reserve(messages); }
  void clear() { transfers_.clear(); }
  std::size_t size() const { return transfers_.size(); }
  std::span<Transfer<Space> const> transfers() const { return transfers_; }

 private:
  template <class T>
  void add(typename Transfer<Space>::Direction direction, TensorView<T, Space> data, std::size_t peer) {
    auto* const memory = const_cast<std::remove_cv_t<T>*>(data.data());
    transfers_.push_back({direction, wire_type_of<T>, peer, data.size() * sizeof(T), memory});
  }

  std::vector<Transfer<Space>> transfers_;
};

}  // namespace weir::inline v1
