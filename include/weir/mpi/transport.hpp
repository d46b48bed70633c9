#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/message_numbers.hpp"
#include "weir/comm/message_pool.hpp"
#include "weir/comm/place_workers.hpp"
#include "weir/comm/remote_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/mpi/communicator.hpp"

namespace weir::inline v1 {

struct MpiTransportOptions {
  std::vector<std::size_t> ranks = {};  // of each worker; empty: as many on each rank, in order
  std::uint32_t capacity = 0;           // messages per edge; 0: twice what the table needs at least, and two
};

/// Messages between the workers of a pipeline that are divided over the ranks of a communicator:
/// `InterleavedPipeline<HostExecutor, float, Single, MpiTransport> pipe{exec, table, options, {},
/// MpiTransport{communicator}}`. Each rank gives the whole table, and has the weights of its own stages.
/// Those that several ranks have, of two copies of a stage or of a tied parameter, are updated by each, with
/// the gradients of all.
///
/// A message has the tag of its stage, direction and kind, and relies on MPI's order, where the table keeps
/// messages of a stage in order; else the number of its micro-batch too. Behind the data it carries its whole
/// tag, so that none is taken for another. Cost: non-blocking messages out of the sender's buffers into the
/// receiver's, receives posted before they are due; nothing is allocated after `open`. A rank that computes
/// for long does not drive MPI meanwhile.
/// Streams: MPI is called by the workers, under the lock that communicators which were split from one share.
/// Errors: from the constructor and `open`, which all ranks call, those of a communicator;
/// `ContractViolation` for a placement or more tags than MPI has; `FingerprintMismatch` if the tables or
/// layouts of the ranks differ. From the others `ContractViolation` that names the tag, for a message that is
/// not the one that is due; `PeerAborted` when another rank has failed; `MpiError`. After a failure all ranks
/// call `clear`, each once it has noticed. Where one does not, buffers that MPI may still use stay valid
/// until the program ends.
class MpiTransport {
 public:
  static constexpr std::size_t trailer_bytes = 64;
  static constexpr std::size_t prefetch = 4;

  /// All ranks of `communicator` call it, which is split.
  explicit MpiTransport(MpiCommunicator const& communicator, MpiTransportOptions options = {})
      : home_(communicator.split(0, communicator.rank())),
        communicator_(home_.split(0, home_.rank())),
        options_(std::move(options)) {}

  std::vector<std::size_t> places(std::uint32_t workers) {
    return ranks_ = detail::place_workers("MpiTransport", options_.ranks, workers, communicator_.size());
  }
  bool is_here(std::size_t rank) const { return rank == communicator_.rank(); }

  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const& numbers) {
    numbers_ = numbers;
    std::uint32_t const capacity = options_.capacity != 0 ? options_.capacity : 2 * needed + 2;
    std::uint64_t hash = layout_hash(layout_hash(layout_hash_seed, numbers.layout), numbers.count());
    for (std::size_t const rank : ranks_) hash = layout_hash(hash, rank);
    for (PipelineEdge const& edge : edges)
      edges_.emplace_back(edge, static_cast<int>(ranks_[edge.from]), static_cast<int>(ranks_[edge.to]),
                          capacity);
    check_tags();
    check_agreement(hash);
  }

  std::uint32_t capacity(std::size_t edge) const {
    return static_cast<std::uint32_t>(edges_[edge].sent.size());
  }

  bool try_send(std::size_t index, PipelineMessage const& message) {
    Edge& edge = edges_[index];
    std::lock_guard const lock(gate());
    notices().check();
    take_back(edge);
    for (Post& post : edge.sent) {
      if (post.message.home != nullptr) continue;
      std::memcpy(message.data + message.bytes, &message.tag, sizeof(MessageTag));
      check_mpi(MPI_Isend(message.data, size_of(message), MPI_BYTE, edge.receiver, number(message.tag),
                          data(), &post.request),
                "MPI_Isend");
      post.message = message;
      ++edge.messages;
      return true;
    }
    listen();
    return false;
  }

  void post_receive(std::size_t index, MessageTag const& tag, PipelineMessage const& message) {
    Edge& edge = edges_[index];
    std::lock_guard const lock(gate());
    for (Post& post : edge.due) {
      if (post.message.home != nullptr) continue;
      check_mpi(MPI_Irecv(message.data, size_of(message), MPI_BYTE, edge.sender, number(tag), data(),
                          &post.request),
                "MPI_Irecv");
      post.message = message;
      post.message.tag = tag;
      return;
    }
    throw ContractViolation(text(edge) + ": more receives are posted than `prefetch`");
  }

  bool try_receive(std::size_t index, MessageTag const& tag, PipelineMessage& message) {
    Edge& edge = edges_[index];
    std::lock_guard const lock(gate());
    notices().check();
    for (Post& post : edge.due) {
      if (post.message.home == nullptr || !(post.message.tag == tag)) continue;
      int has_come = 0;
      MPI_Status status;
      int const code = MPI_Test(&post.request, &has_come, &status);
      if (code == MPI_SUCCESS && has_come == 0) {
        listen();
        return false;
      }
      ++edge.arrived;
      check_arrival(edge, post, code, status);
      message = std::exchange(post.message, PipelineMessage{});
      return true;
    }
    throw ContractViolation(text(edge) + ": no receive was posted for " + text(tag));
  }

  bool try_flush(std::size_t index) {
    Edge& edge = edges_[index];
    std::lock_guard const lock(gate());
    notices().check();
    if (take_back(edge)) return true;
    listen();
    return false;
  }

  /// Whether a run has failed, here or on a rank that has told this one, and `clear` was not called since.
  bool has_failed() {
    std::lock_guard const lock(gate());
    if (!notices().is_failed()) notices().read();
    return notices().is_failed();
  }

  /// After a failure all ranks call it, which blocks until all have: whether they all give the same numbers,
  /// of which these are the least and the most; a rank that has none gives the largest as the least. Else
  /// nobody is asked. Errors: as `clear`.
  bool agree(std::uint64_t least, std::uint64_t most) {
    if (!has_failed()) return least >= most;
    auto const all = gathered({least, most});
    for (std::size_t rank = 0; rank < all.size() / 2; ++rank) {
      if (all[2 * rank] < least) least = all[2 * rank];
      if (all[2 * rank + 1] > most) most = all[2 * rank + 1];
    }
    return least >= most;
  }

  /// After a failure all ranks call it, which blocks until all have; else it does nothing. What was under way
  /// is received and thrown away, and what follows has a communicator of its own.
  /// Errors: `PeerTimeout` if a rank does not call it before the deadline, for good.
  void clear() {
    if (!has_failed()) return;
    MpiCommunicator next = home_.split(0, home_.rank());
    discard();
    communicator_ = std::move(next);
  }

  void cancel() noexcept { communicator_.abort(); }

  bool close() noexcept {
    int is_finalized = 0;
    bool is_all_back = true;
    bool const has_mpi = MPI_Finalized(&is_finalized) == MPI_SUCCESS && is_finalized == 0;
    std::lock_guard const lock(gate());
    for (Edge& edge : edges_) {
      for (Post& post : edge.sent) is_all_back = give_up(post, has_mpi, false) && is_all_back;
      for (Post& post : edge.due) is_all_back = give_up(post, has_mpi, true) && is_all_back;
    }
    return is_all_back;
  }

 private:
  struct Post {
    MPI_Request request = MPI_REQUEST_NULL;
    PipelineMessage message = {};  // no home: the place is free
    bool is_withdrawn = false;
  };
  struct Edge : PipelineEdge {
    Edge(PipelineEdge const& edge, int from_rank, int to_rank, std::size_t capacity)
        : PipelineEdge(edge), sender(from_rank), receiver(to_rank), sent(capacity), due(prefetch) {}

    int sender;
    int receiver;
    std::vector<Post> sent;      // the sender's
    std::vector<Post> due;       // the receiver's
    std::uint64_t messages = 0;  // that the sender has sent
    std::uint64_t arrived = 0;   // and the receiver has received
  };
  static_assert(sizeof(MessageTag) <= trailer_bytes);

  detail::MpiLink& link() const { return communicator_.member_->link(); }
  std::mutex& gate() const { return *link().gate(); }
  detail::MpiNotices& notices() const { return link().notices(); }
  MPI_Comm data() const { return link().data(); }

  int number(MessageTag const& tag) const { return static_cast<int>(numbers_.of(tag)); }

  static int size_of(PipelineMessage const& message) {
    std::size_t const bytes = message.bytes + sizeof(MessageTag);
    if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw ContractViolation(text(message.tag) + " has " + std::to_string(message.bytes) +
                              " bytes; MPI takes messages below 2^31");
    return static_cast<int>(bytes);
  }

  void check_tags() const {
    int* largest = nullptr;
    int is_known = 0;
    check_mpi(MPI_Comm_get_attr(data(), MPI_TAG_UB, static_cast<void*>(&largest), &is_known),
              "MPI_Comm_get_attr");
    std::uint64_t const tags = static_cast<std::uint64_t>(is_known != 0 ? *largest : 32'767) + 1;
    if (numbers_.count() > tags)
      throw ContractViolation("MpiTransport: this table needs " + std::to_string(numbers_.count()) +
                              " tags, this MPI has " + std::to_string(tags));
  }

  /// All ranks have the same table, layouts and placement.
  void check_agreement(std::uint64_t mine) const {
    std::vector<std::uint64_t> const all = gathered({mine});
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
      if (all[rank] != all[0])
        throw FingerprintMismatch("MpiTransport: the table, the layouts of stages or the placement of rank " +
                                  std::to_string(rank) + " are not those of rank 0");
    }
  }

  /// As many numbers of each rank, in order. Errors: `PeerTimeout`.
  std::vector<std::uint64_t> gathered(std::vector<std::uint64_t> mine) const {
    struct Numbers {
      std::vector<std::uint64_t> mine;
      std::vector<std::uint64_t> all;
    };
    std::size_t const count = mine.size();
    auto numbers =
        std::make_unique<Numbers>(Numbers{std::move(mine), std::vector<std::uint64_t>(count * home_.size())});
    MPI_Request request = MPI_REQUEST_NULL;
    home_.member_->link().check();
    try {
      await([&] {
        if (request == MPI_REQUEST_NULL) {
          check_mpi(
              MPI_Iallgather(numbers->mine.data(), static_cast<int>(count), MPI_UINT64_T, numbers->all.data(),
                             static_cast<int>(count), MPI_UINT64_T, home_.member_->link().data(), &request),
              "MPI_Iallgather");
        }
        int is_done = 0;
        check_mpi(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Test");
        return is_done != 0;
      });
    } catch (...) {
      (void)numbers.release();  // MPI may still write to it
      home_.abort();
      throw;
    }
    return std::move(numbers->all);
  }

  /// Calls `is_over()` under the gate until it is true. Errors: `PeerTimeout`.
  template <class IsOver>
  void await(IsOver const& is_over) const {
    CommOptions const& options = link().options();
    for (auto const end = options.give_up_time();; std::this_thread::yield()) {
      {
        std::lock_guard const lock(gate());
        if (is_over()) return;
      }
      if (std::chrono::steady_clock::now() < end) continue;
      throw PeerTimeout("MpiTransport", 0,
                        "not all ranks made it within " + std::to_string(options.deadline.count()) + " ms");
    }
  }

  /// Receives all that the ranks have sent each other, and takes all buffers back.
  void discard() {
    std::size_t const rank = home_.rank();
    std::vector<std::uint64_t> counts;
    for (Edge const& edge : edges_) counts.push_back(edge.messages);
    counts = gathered(std::move(counts));
    await([&] {
      bool is_over = true;
      for (Edge& edge : edges_) {
        for (Post& post : edge.due) is_over = withdraw(edge, post) && is_over;
      }
      return is_over;
    });
    std::vector<std::uint64_t> left(home_.size());
    for (std::size_t index = 0; index < edges_.size(); ++index) {
      Edge const& edge = edges_[index];
      auto const sender = static_cast<std::size_t>(edge.sender);
      if (static_cast<std::size_t>(edge.receiver) == rank)
        left[sender] += counts[sender * edges_.size() + index] - edge.arrived;
    }
    std::vector<std::byte> nowhere;
    await([&] {
      bool is_over = true;
      for (std::size_t sender = 0; sender < left.size(); ++sender) {
        while (left[sender] != 0 && receive_any(static_cast<int>(sender), nowhere)) --left[sender];
        is_over = is_over && left[sender] == 0;
      }
      for (Edge& edge : edges_) is_over = take_back(edge) && is_over;
      return is_over;
    });
    for (Edge& edge : edges_) edge.messages = edge.arrived = 0;
  }

  /// Takes a receive back, unless its message has come. False: that is not known yet.
  static bool withdraw(Edge& edge, Post& post) {
    if (post.message.home == nullptr) return true;
    if (post.request != MPI_REQUEST_NULL) {
      if (!std::exchange(post.is_withdrawn, true)) check_mpi(MPI_Cancel(&post.request), "MPI_Cancel");
      int is_done = 0;
      MPI_Status status;
      if (MPI_Test(&post.request, &is_done, &status) == MPI_SUCCESS && is_done == 0) return false;
      int is_cancelled = 0;
      check_mpi(MPI_Test_cancelled(&status, &is_cancelled), "MPI_Test_cancelled");
      if (is_cancelled == 0) ++edge.arrived;
    }
    post = {};
    return true;
  }

  /// Whether a message of `sender` was there.
  bool receive_any(int sender, std::vector<std::byte>& memory) const {
    int is_there = 0;
    int bytes = 0;
    MPI_Status status;
    check_mpi(MPI_Iprobe(sender, MPI_ANY_TAG, data(), &is_there, &status), "MPI_Iprobe");
    if (is_there == 0) return false;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    if (memory.size() < static_cast<std::size_t>(bytes)) memory.resize(static_cast<std::size_t>(bytes));
    check_mpi(MPI_Recv(memory.data(), bytes, MPI_BYTE, sender, status.MPI_TAG, data(), MPI_STATUS_IGNORE),
              "MPI_Recv");
    return true;
  }

  /// Gives the buffers of what has left back. Whether that is everything.
  static bool take_back(Edge& edge) {
    bool is_everything = true;
    for (Post& post : edge.sent) {
      if (post.message.home == nullptr) continue;
      int has_left = 0;
      check_mpi(MPI_Test(&post.request, &has_left, MPI_STATUS_IGNORE), "MPI_Isend");
      is_everything = is_everything && has_left != 0;
      if (has_left == 0) continue;
      post.message.home->give_back(post.message.data);
      post.message = {};
    }
    return is_everything;
  }

  void check_arrival(Edge const& edge, Post const& post, int code, MPI_Status const& status) const {
    PipelineMessage const& due = post.message;
    int error_class = MPI_SUCCESS;
    MPI_Error_class(code, &error_class);
    bool const is_too_long = error_class == MPI_ERR_TRUNCATE;
    if (!is_too_long) check_mpi(code, "MPI_Irecv");
    int count = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
    if (is_too_long || count != size_of(due)) {
      throw ContractViolation(text(edge) + ": " + text(due.tag) + " came with " +
                              (is_too_long ? "more than " + std::to_string(due.bytes)
                                           : std::to_string(count - static_cast<int>(sizeof(MessageTag)))) +
                              " bytes, " + std::to_string(due.bytes) + " were due");
    }
    MessageTag came;
    std::memcpy(&came, due.data + due.bytes, sizeof(came));
    if (!(came == due.tag)) {
      throw ContractViolation(text(edge) + " brought " + text(came) + " of run " + std::to_string(came.run) +
                              " where " + text(due.tag) + " of run " + std::to_string(due.tag.run) +
                              " was due");
    }
  }

  /// From time to time, while nothing comes.
  void listen() {
    if (++turns_ % 8 == 0) notices().read();
  }

  /// Whether its buffer is free.
  static bool give_up(Post& post, bool has_mpi, bool is_receive) noexcept {
    if (post.message.home == nullptr) return true;
    post.message = {};
    if (post.request == MPI_REQUEST_NULL) return true;
    if (!has_mpi) return false;
    int is_done = 0;
    if (is_receive) MPI_Cancel(&post.request);
    if (MPI_Test(&post.request, &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && is_done != 0) return true;
    if (post.request != MPI_REQUEST_NULL) MPI_Request_free(&post.request);
    return false;
  }

  MpiCommunicator home_;          // of what is not a message
  MpiCommunicator communicator_;  // until a failure
  MpiTransportOptions options_;
  std::vector<std::size_t> ranks_;  // by worker
  MessageNumbers numbers_;
  std::vector<Edge> edges_;
  unsigned turns_ = 0;  // under the gate
};

static_assert(RemoteTransport<MpiTransport>);

}  // namespace weir::inline v1
