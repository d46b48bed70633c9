#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/even_split.hpp"
#include "weir/comm/rank_order.hpp"
#include "weir/mpi/link.hpp"

namespace weir::inline v1::detail {

/// One rank of an `MpiCommunicator`: its operations, as they run when the stream gets there.
class MpiMember {
 public:
  MpiMember(MPI_Comm data, MPI_Comm notices, CommOptions const& options, MpiLink::Gate gate,
            std::size_t longest_message = MpiLink::longest_message)
      : link_(data, notices, options, std::move(gate), longest_message), fingerprints_(link_.size()) {
    use_scratch(new_scratch(small_bytes * size()), small_bytes * size());
  }

  MpiMember(MpiMember const&) = delete;
  MpiMember& operator=(MpiMember const&) = delete;

  ~MpiMember() {
    if (link_.notices().is_failed()) keep_scratch();
  }

  std::size_t rank() const { return link_.rank(); }
  std::size_t size() const { return link_.size(); }
  MpiLink& link() { return link_; }

  void begin_call() { called_.fetch_add(1, std::memory_order_relaxed); }
  void end_call() { ended_.fetch_add(1, std::memory_order_release); }
  bool is_idle() const {
    return ended_.load(std::memory_order_acquire) >= called_.load(std::memory_order_relaxed);
  }

  using Scratch = std::shared_ptr<std::byte>;

  /// What operations on `bytes` bytes need.
  std::size_t scratch_bytes(std::size_t bytes) const {
    std::size_t const gathered = small_bytes * size();
    std::size_t const scattered = (std::min(bytes, chunk_bytes) / size() + 64) * size();
    return std::max(gathered, scattered);
  }

  void use_scratch(Scratch scratch, std::size_t bytes) {
    if (bytes <= scratch_bytes_) return;
    scratch_ = std::move(scratch);
    scratch_bytes_ = bytes;
  }

  template <class T>
  void all_reduce(T* data, std::size_t count, ReduceOp op) {
    Turn const turn(*this, CommOperation::all_reduce);
    Fingerprint const mine = begin<T>(CommOperation::all_reduce, count, op);
    if (count * sizeof(T) <= small_bytes) return all_reduce_small(mine, data, count, op);
    std::size_t const chunk = piece<T>() * size();
    for (std::size_t offset = 0; offset < count; offset += chunk) {
      all_reduce_chunk(mine, data + offset, std::min(chunk, count - offset), op);
    }
  }

  template <class T>
  void all_gather(T const* block, std::size_t count, T* all) {
    Turn const turn(*this, CommOperation::all_gather);
    Fingerprint const mine = begin<T>(CommOperation::all_gather, count, ReduceOp::sum);
    int const tag = link_.tag_of(mine);
    std::size_t const bytes = count * sizeof(T);
    for_each_peer([&](std::size_t peer) { link_.receive(all + peer * count, bytes, peer, tag); });
    for_each_peer([&](std::size_t peer) { link_.send(block, bytes, peer, tag); });
    if (bytes > 0 && block != all + rank() * count) std::memcpy(all + rank() * count, block, bytes);
    link_.wait(mine);
  }

  template <class T>
  void reduce_scatter(T const* all, std::size_t count, T* part, ReduceOp op, PartBoundaries const& parts) {
    Turn const turn(*this, CommOperation::reduce_scatter);
    Fingerprint const mine = begin<T>(CommOperation::reduce_scatter, count, op, parts.hash());
    std::size_t longest = 0;
    for (std::size_t r = 0; r < size(); ++r) longest = std::max(longest, parts.size(r));
    for (std::size_t offset = 0; offset < longest; offset += piece<T>()) {
      auto const length = [&](std::size_t r) {
        return offset < parts.size(r) ? std::min(piece<T>(), parts.size(r) - offset) : 0;
      };
      combine_slice(
          mine, op, length, [&](std::size_t r) { return all + parts.begin(r) + offset; }, part + offset);
    }
  }

  /// Along a binomial tree.
  template <class T>
  void broadcast(T* data, std::size_t count, std::size_t root) {
    Turn const turn(*this, CommOperation::broadcast);
    Fingerprint const mine = begin<T>(CommOperation::broadcast, count, ReduceOp::sum, 0, root);
    int const tag = link_.tag_of(mine);
    std::size_t const place = (rank() + size() - root) % size();
    auto const rank_at = [&](std::size_t other) { return (other + root) % size(); };
    std::size_t step = 1;
    while (step < size() && (place & step) == 0) step *= 2;
    if (place != 0) {
      link_.receive(data, count * sizeof(T), rank_at(place - step), tag);
      link_.wait(mine);
    }
    for (step /= 2; step > 0; step /= 2) {
      if (place + step < size()) link_.send(data, count * sizeof(T), rank_at(place + step), tag);
    }
    link_.wait(mine);
  }

  void exchange(std::span<Transfer<HostSpace> const> transfers) {
    Turn const turn(*this, CommOperation::exchange);
    Fingerprint mine;
    mine.operation = CommOperation::exchange;
    mine.count = transfers.size();
    mine.sequence = ++exchanges_;
    link_.begin(mine);
    for (Transfer<HostSpace> const& transfer : transfers) {
      if (transfer.direction == Transfer<HostSpace>::Direction::receive) {
        link_.receive(transfer.data, transfer.bytes, transfer.peer, MpiLink::exchange_tag);
      } else {
        link_.send(transfer.data, transfer.bytes, transfer.peer, MpiLink::exchange_tag);
      }
    }
    link_.wait(mine);
  }

  /// Returns when all ranks have called it: what follows and cannot be bounded is sure to meet them.
  void meet(CommOperation operation) {
    Turn const turn(*this, operation);
    Fingerprint mine;
    mine.operation = operation;
    mine.sequence = ++collectives_;
    link_.begin(mine);
    compare_all(mine);
  }

  static Scratch new_scratch(std::size_t bytes) {
    return {new std::byte[bytes], [](std::byte* memory) { delete[] memory; }};
  }

 private:
  static constexpr std::size_t small_bytes = 8 * 1024;         // everything to everybody in one message
  static constexpr std::size_t chunk_bytes = 4 * 1024 * 1024;  // reduced at a time; the same on all ranks

  /// One issuing order: two streams of one rank would mix up their operations.
  class Turn {
   public:
    Turn(MpiMember& member, CommOperation operation) : member_(member) {
      if (member.is_busy_.exchange(true, std::memory_order_acquire)) {
        throw ContractViolation(
            std::string(name_of(operation)) + ": another stream is in an operation of rank " +
            std::to_string(member.rank()) +
            "; a communicator has one issuing order, so use it from one stream, or split it");
      }
    }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;
    ~Turn() { member_.is_busy_.store(false, std::memory_order_release); }

   private:
    MpiMember& member_;
  };

  /// For ever: MPI may still write to it.
  void keep_scratch() noexcept {
    try {
      auto* const kept = new Scratch(scratch_);
      static_cast<void>(kept);
    } catch (std::bad_alloc const&) {  // then it is freed
    }
  }

  template <class Function>
  void for_each_peer(Function const& f) const {
    for (std::size_t distance = 1; distance < size(); ++distance) f((rank() + distance) % size());
  }

  /// Elements of a rank's slice that are combined at a time.
  template <class T>
  std::size_t piece() const {
    return std::max<std::size_t>(1, chunk_bytes / size() / sizeof(T));
  }

  template <class T>
  T* scratch_for(std::size_t count) {
    std::size_t const bytes = count * sizeof(T);
    if (bytes > scratch_bytes_) use_scratch(new_scratch(bytes), bytes);
    return reinterpret_cast<T*>(scratch_.get());
  }

  template <class T>
  Fingerprint begin(CommOperation operation, std::size_t count, ReduceOp op, std::uint64_t layout = 0,
                    std::size_t root = 0) {
    Fingerprint mine;
    mine.operation = operation;
    mine.type = wire_type_of<T>;
    mine.count = mine.type == WireType::bytes ? count * sizeof(T) : count;
    mine.op = op;
    mine.layout = layout;
    mine.root = static_cast<std::uint32_t>(root);
    mine.sequence = ++collectives_;
    link_.begin(mine);
    if (!is_known(MpiLink::shape_hash(mine))) compare_all(mine);
    return mine;
  }

  /// Whether the ranks have agreed on this shape before. They remember and forget the same ones.
  bool is_known(std::uint64_t shape) {
    if (known_count_ == known_.size() / 2) {
      known_.fill(0);
      known_count_ = 0;
    }
    std::size_t place = shape % known_.size();
    for (; known_[place] != 0; place = (place + 1) % known_.size()) {
      if (known_[place] == shape) return true;
    }
    known_[place] = shape;
    ++known_count_;
    return false;
  }

  void compare_all(Fingerprint const& mine) {
    fingerprints_[rank()] = mine;
    for_each_peer([&](std::size_t peer) {
      link_.receive(&fingerprints_[peer], sizeof(mine), peer, MpiLink::agree_tag);
      link_.send(&fingerprints_[rank()], sizeof(mine), peer, MpiLink::agree_tag);
    });
    link_.wait(mine);
    for (std::size_t peer = 1; peer < size(); ++peer) {
      if (fingerprints_[peer] != fingerprints_[0]) {
        link_.fail_mismatch(0, fingerprints_[0], peer, fingerprints_[peer]);
      }
    }
  }

  template <class T>
  void all_reduce_small(Fingerprint const& mine, T* data, std::size_t count, ReduceOp op) {
    int const tag = link_.tag_of(mine);
    T* const others = scratch_for<T>(count * size());
    for_each_peer(
        [&](std::size_t peer) { link_.receive(others + peer * count, count * sizeof(T), peer, tag); });
    for_each_peer([&](std::size_t peer) { link_.send(data, count * sizeof(T), peer, tag); });
    link_.wait(mine);
    combine_in_rank_order<T>(
        op, size(), 0, count,
        [&](std::size_t r) { return r == rank() ? static_cast<T const*>(data) : others + r * count; },
        [&](std::size_t offset, T const* results, std::size_t length) {
          std::memcpy(data + offset, results, length * sizeof(T));
        });
  }

  /// Every rank combines its slice and hands it out.
  template <class T>
  void all_reduce_chunk(Fingerprint const& mine, T* data, std::size_t count, ReduceOp op) {
    int const tag = link_.tag_of(mine);
    auto const slice = [&](std::size_t r) { return data + even_split(count, r, size()); };
    auto const length = [&](std::size_t r) { return static_cast<std::size_t>(slice(r + 1) - slice(r)); };
    combine_slice(mine, op, length, slice, slice(rank()));
    for_each_peer([&](std::size_t peer) { link_.receive(slice(peer), length(peer) * sizeof(T), peer, tag); });
    for_each_peer(
        [&](std::size_t peer) { link_.send(slice(rank()), length(rank()) * sizeof(T), peer, tag); });
    link_.wait(mine);
  }

  /// Exchanges slices and combines the own one into `out`.
  template <class T, class LengthOf, class SliceOf>
  void combine_slice(Fingerprint const& mine, ReduceOp op, LengthOf const& length, SliceOf const& slice,
                     T* out) {
    int const tag = link_.tag_of(mine);
    std::size_t const own = length(rank());
    T* const others = scratch_for<T>(own * size());
    for_each_peer([&](std::size_t peer) {
      if (own > 0) link_.receive(others + peer * own, own * sizeof(T), peer, tag);
    });
    for_each_peer([&](std::size_t peer) {
      if (length(peer) > 0) link_.send(slice(peer), length(peer) * sizeof(T), peer, tag);
    });
    link_.wait(mine);
    combine_in_rank_order<T>(
        op, size(), 0, own,
        [&](std::size_t r) { return r == rank() ? static_cast<T const*>(slice(r)) : others + r * own; },
        [&](std::size_t offset, T const* results, std::size_t count) {
          std::memcpy(out + offset, results, count * sizeof(T));
        });
  }

  MpiLink link_;
  std::atomic<bool> is_busy_ = false;
  std::atomic<std::uint64_t> called_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
  std::uint64_t collectives_ = 0;  // this and the following: the rank's stream's
  std::uint64_t exchanges_ = 0;
  std::vector<Fingerprint> fingerprints_;
  std::array<std::uint64_t, 2'048> known_{};
  std::size_t known_count_ = 0;
  Scratch scratch_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace weir::inline v1::detail
