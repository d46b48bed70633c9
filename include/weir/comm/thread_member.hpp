#pragma once

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
#include "weir/comm/rank_order.hpp"
#include "weir/comm/thread_meeting.hpp"

namespace weir::inline v1::detail {

/// One rank of a `ThreadCommunicator`: its operations, as they run when the stream gets there.
class ThreadMember {
 public:
  ThreadMember(std::shared_ptr<ThreadMeeting> meeting, std::size_t rank)
      : meeting_(std::move(meeting)), rank_(rank) {
    tickets_.reserve(2 * size());
  }
  ThreadMember(ThreadMember const&) = delete;
  ThreadMember& operator=(ThreadMember const&) = delete;
  ~ThreadMember() { meeting_->signal().depart(rank_); }

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return meeting_->size(); }
  ThreadMeeting& meeting() const { return *meeting_; }

  void begin_call() { called_.fetch_add(1, std::memory_order_relaxed); }
  void end_call() { ended_.fetch_add(1, std::memory_order_release); }
  bool is_idle() const {
    return ended_.load(std::memory_order_acquire) >= called_.load(std::memory_order_relaxed);
  }

  /// Every rank combines its own slice over all ranks and writes it to all of them.
  template <class T>
  void all_reduce(T* data, std::size_t count, ReduceOp op) {
    Fingerprint const mine = fingerprint<T>(CommOperation::all_reduce, count, op);
    collective(mine, nullptr, data, [&] {
      auto const of_rank = [&](std::size_t other) { return static_cast<T*>(meeting_->post(other).out); };
      combine_in_rank_order<T>(op, size(), slice_begin<T>(count, rank_), slice_begin<T>(count, rank_ + 1),
                               of_rank, [&](std::size_t offset, T const* results, std::size_t length) {
                                 for (std::size_t other = 0; other < size(); ++other) {
                                   std::memcpy(of_rank(other) + offset, results, length * sizeof(T));
                                 }
                               });
    });
  }

  template <class T>
  void all_gather(T const* block, std::size_t count, T* all) {
    Fingerprint const mine = fingerprint<T>(CommOperation::all_gather, count, ReduceOp::sum);
    collective(mine, block, all, [&] {
      for (std::size_t other = 0; other < size(); ++other) {
        move_bytes(meeting_->post(other).in, all + other * count, count * sizeof(T));
      }
    });
  }

  template <class T>
  void reduce_scatter(T const* all, std::size_t count, T* part, ReduceOp op, PartBoundaries const& parts) {
    Fingerprint mine = fingerprint<T>(CommOperation::reduce_scatter, count, op);
    mine.layout = parts.hash();
    collective(mine, all, part, [&] {
      std::size_t const begin = parts.begin(rank_);
      combine_in_rank_order<T>(
          op, size(), begin, parts.end(rank_),
          [&](std::size_t other) { return static_cast<T const*>(meeting_->post(other).in); },
          [&](std::size_t offset, T const* results, std::size_t length) {
            std::memcpy(part + (offset - begin), results, length * sizeof(T));
          });
    });
  }

  template <class T>
  void broadcast(T* data, std::size_t count, std::size_t root) {
    Fingerprint mine = fingerprint<T>(CommOperation::broadcast, count, ReduceOp::sum);
    mine.root = static_cast<std::uint32_t>(root);
    collective(mine, nullptr, data, [&] { move_bytes(meeting_->post(root).out, data, count * sizeof(T)); });
  }

  void exchange(std::span<Transfer<HostSpace> const> transfers) {
    Turn const turn(*this, CommOperation::exchange);
    Fingerprint mine;
    mine.operation = CommOperation::exchange;
    mine.count = transfers.size();
    mine.sequence = ++exchanges_;
    log_.add(mine);
    meeting_->mailbox().exchange(rank_, transfers, tickets_, mine);
  }

  /// The member of a new group of the ranks with the same color.
  std::shared_ptr<ThreadMember> split(std::size_t color, std::size_t key) {
    Placement mine{color, key, nullptr};
    Fingerprint fingerprint;
    fingerprint.operation = CommOperation::split;
    collective(fingerprint, nullptr, &mine, [&] { found_group(color); });
    if (mine.member == nullptr) throw OutOfMemory(sizeof(ThreadMeeting));
    return mine.member;
  }

 private:
  struct Placement {
    std::size_t color;
    std::size_t key;
    std::shared_ptr<ThreadMember> member;
  };

  /// One issuing order: two streams of one rank would mix up their operations.
  class Turn {
   public:
    Turn(ThreadMember& member, CommOperation operation) : member_(member) {
      if (member.is_busy_.exchange(true, std::memory_order_acquire)) {
        throw ContractViolation(
            std::string(name_of(operation)) + ": another stream is in an operation of rank " +
            std::to_string(member.rank_) +
            "; a communicator has one issuing order, so use it from one stream, or split it");
      }
    }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;
    ~Turn() { member_.is_busy_.store(false, std::memory_order_release); }

   private:
    ThreadMember& member_;
  };

  template <class T>
  static Fingerprint fingerprint(CommOperation operation, std::size_t count, ReduceOp op) {
    Fingerprint result;
    result.operation = operation;
    result.type = wire_type_of<T>;
    result.count = result.type == WireType::bytes ? count * sizeof(T) : count;
    result.op = op;
    return result;
  }

  /// `work` reads and writes the memory of all ranks and does not throw.
  template <class Work>
  void collective(Fingerprint fingerprint, void const* in, void* out, Work const& work) {
    Turn const turn(*this, fingerprint.operation);
    fingerprint.sequence = ++collectives_;
    log_.add(fingerprint);
    meeting_->enter(rank_, {fingerprint, in, out}, log_);
    work();
    meeting_->leave(rank_);
  }

  /// Slices begin at multiples of a cache line, so that two ranks do not write to one.
  template <class T>
  std::size_t slice_begin(std::size_t count, std::size_t rank) const {
    constexpr std::size_t line = 64 / sizeof(T);
    return rank == size() ? count : even_split(count, rank, size()) / line * line;
  }

  static void move_bytes(void const* from, void* to, std::size_t bytes) {
    if (bytes > 0 && from != to) std::memcpy(to, from, bytes);
  }

  /// The first rank of a color makes the group and hands out the places.
  void found_group(std::size_t color) noexcept {
    auto const at = [&](std::size_t rank) { return static_cast<Placement*>(meeting_->post(rank).out); };
    auto const is_before = [&](std::size_t left, std::size_t right) {
      return at(left)->key != at(right)->key ? at(left)->key < at(right)->key : left < right;
    };
    std::size_t members = 0;
    for (std::size_t rank = 0; rank < size(); ++rank) {
      if (at(rank)->color != color) continue;
      if (members++ == 0 && rank != rank_) return;
    }
    try {
      auto const group = std::make_shared<ThreadMeeting>(members, meeting_->options());
      for (std::size_t rank = 0; rank < size(); ++rank) {
        if (at(rank)->color != color) continue;
        std::size_t place = 0;
        for (std::size_t other = 0; other < size(); ++other) {
          if (at(other)->color == color && is_before(other, rank)) ++place;
        }
        at(rank)->member = std::make_shared<ThreadMember>(group, place);
      }
    } catch (std::bad_alloc const&) {  // a rank without a place reports it
    }
  }

  std::shared_ptr<ThreadMeeting> meeting_;
  std::size_t rank_;
  std::atomic<bool> is_busy_ = false;
  std::atomic<std::uint64_t> called_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
  std::uint64_t collectives_ = 0;  // this and the following: the rank's stream's
  std::uint64_t exchanges_ = 0;
  OperationLog log_;
  std::vector<std::uint64_t> tickets_;
};

}  // namespace weir::inline v1::detail
