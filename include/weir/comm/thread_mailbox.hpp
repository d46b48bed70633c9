#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/group.hpp"
#include "weir/comm/options.hpp"
#include "weir/comm/thread_signal.hpp"
#include "weir/core/clock.hpp"

namespace weir::inline v1::detail {

/// The messages between the ranks of a `ThreadCommunicator`: copied once, by the receiver, from the sender's
/// memory.
class ThreadMailbox {
 public:
  using Message = Transfer<HostSpace>;

  ThreadMailbox(std::size_t size, ThreadSignal& signal, CommOptions const& options)
      : size_(size), signal_(signal), options_(options), channels_(size * size) {}

  /// Returns when all sends have been taken and all receives have arrived. `tickets` keeps the state of each
  /// transfer and only grows.
  void exchange(std::size_t rank, std::span<Message const> transfers, std::vector<std::uint64_t>& tickets,
                Fingerprint const& operation) {
    if (tickets.size() < transfers.size()) tickets.resize(transfers.size());
    for (std::size_t i = 0; i < transfers.size(); ++i) tickets[i] = unposted;
    Group group{rank, transfers, tickets.data(), operation, options_.give_up_time()};
    auto lock = signal_.lock();
    for (std::size_t waiting = transfers.size(); waiting > 0;) {
      if (signal_.is_failed()) give_up(lock, group);
      auto const seen = signal_.version();  // what this rank posts may be for itself
      if (std::size_t const ended = advance(lock, group); ended > 0) {
        waiting -= ended;
        group.end = options_.give_up_time();
      } else if (!signal_.is_failed()) {
        wait(lock, group, seen);
      }
    }
  }

 private:
  static constexpr std::uint64_t unposted = 0;
  static constexpr std::uint64_t done = ~std::uint64_t{0};

  struct Group {
    std::size_t rank;
    std::span<Message const> transfers;
    std::uint64_t* tickets;
    Fingerprint operation;
    ThreadSignal::Time end;  // put off whenever a transfer of the group has ended
  };

  /// One message at a time.
  struct Channel {
    std::uint64_t posted = 0;
    std::uint64_t taken = 0;
    bool is_copied = false;  // right now
    Message message{};
  };

  Channel& channel(std::size_t from, std::size_t to) { return channels_[from * size_ + to]; }

  /// Goes over the group once; how many transfers have ended. Ends after a receive, since the lock was given
  /// up. Receives come first: while sends are posted, a message to this rank itself may arrive.
  std::size_t advance(ThreadSignal::Lock& lock, Group& group) {
    for (std::size_t i = 0; i < group.transfers.size(); ++i) {
      Message const& transfer = group.transfers[i];
      if (group.tickets[i] == done || transfer.direction == Message::Direction::send) continue;
      Channel& from = channel(transfer.peer, group.rank);
      if (from.posted == from.taken) continue;
      if (!receive(lock, from, transfer, group.rank)) return 0;
      group.tickets[i] = done;
      return 1;
    }
    std::size_t ended = 0;
    for (std::size_t i = 0; i < group.transfers.size(); ++i) {
      Message const& transfer = group.transfers[i];
      if (group.tickets[i] == done || transfer.direction == Message::Direction::receive) continue;
      if (!advance_send(channel(group.rank, transfer.peer), transfer, group.tickets[i])) continue;
      group.tickets[i] = done;
      ++ended;
    }
    return ended;
  }

  /// Whether the message has been taken.
  bool advance_send(Channel& to, Message const& transfer, std::uint64_t& ticket) {
    if (ticket == unposted) {
      if (to.posted != to.taken) return false;
      to.message = transfer;
      ticket = ++to.posted;
      signal_.change();
    }
    return to.taken >= ticket;
  }

  /// Whether the message was what this rank expects.
  bool receive(ThreadSignal::Lock& lock, Channel& from, Message const& transfer, std::size_t rank) {
    Message const sent = from.message;
    if (sent.bytes != transfer.bytes || sent.type != transfer.type) {
      signal_.fail_mismatch("exchange: rank " + std::to_string(transfer.peer) + " sends " + text_of(sent) +
                            ", rank " + std::to_string(rank) + " receives " + text_of(transfer));
      return false;
    }
    from.is_copied = true;
    lock.unlock();
    if (sent.bytes > 0) std::memmove(transfer.data, sent.data, sent.bytes);
    lock.lock();
    from.is_copied = false;
    ++from.taken;
    signal_.change();
    return true;
  }

  void wait(ThreadSignal::Lock& lock, Group const& group, std::uint64_t seen) {
    for (std::size_t i = 0; i < group.transfers.size(); ++i) {
      if (group.tickets[i] == done) continue;
      if (signal_.is_gone(group.transfers[i].peer)) return signal_.fail_aborted(group.transfers[i].peer);
    }
    signal_.wait(lock, group.end, [this, seen] { return signal_.version() != seen; });
    if (signal_.is_failed() || std::chrono::steady_clock::now() < group.end) return;
    std::string peers;
    for (std::size_t i = 0; i < group.transfers.size(); ++i) {
      if (group.tickets[i] == done) continue;
      bool const is_send = group.transfers[i].direction == Message::Direction::send;
      peers += (is_send ? " the send to rank " : " the receive from rank ") +
               std::to_string(group.transfers[i].peer) + ';';
    }
    signal_.fail_timeout(group.operation,
                         "unfinished after " + std::to_string(options_.deadline.count()) + " ms:" + peers);
  }

  /// Throws the failure once nobody reads this rank's memory any more; new copies do not begin.
  [[noreturn]] void give_up(ThreadSignal::Lock& lock, Group const& group) {
    signal_.wait_for_computation(lock, [&] {
      for (Message const& transfer : group.transfers) {
        if (channel(group.rank, transfer.peer).is_copied) return false;
      }
      return true;
    });
    signal_.throw_failure();
  }

  static std::string text_of(Message const& message) {
    return std::to_string(message.bytes / size_of(message.type)) + ' ' + name_of(message.type);
  }

  std::size_t size_;
  ThreadSignal& signal_;
  CommOptions options_;
  std::vector<Channel> channels_;
};

}  // namespace weir::inline v1::detail
