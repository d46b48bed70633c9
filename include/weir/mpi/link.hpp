#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/mpi/error.hpp"
#include "weir/mpi/notices.hpp"

namespace weir::inline v1::detail {

inline std::size_t mpi_rank_of(MPI_Comm communicator) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank");
  return static_cast<std::size_t>(rank);
}

inline std::size_t mpi_size_of(MPI_Comm communicator) {
  int size = 0;
  check_mpi(MPI_Comm_size(communicator, &size), "MPI_Comm_size");
  return static_cast<std::size_t>(size);
}

/// Messages between the ranks of an `MpiCommunicator`, with an end to every wait.
///
/// The gate serialises the MPI calls of all links that were split from one, so that `MPI_THREAD_SERIALIZED`
/// is enough; it is not held while waiting.
class MpiLink {
 public:
  using Gate = std::shared_ptr<std::mutex>;

  /// For messages outside of collectives.
  static constexpr int exchange_tag = 1;
  static constexpr int agree_tag = 2;

  static constexpr std::size_t longest_message = std::size_t{1} << 30;

  /// Takes both communicators. Messages of more than `longest` bytes, the same on all ranks, go in pieces.
  MpiLink(MPI_Comm data, MPI_Comm notices, CommOptions const& options, Gate gate,
          std::size_t longest = longest_message)
      : data_(data),
        options_(options),
        gate_(std::move(gate)),
        longest_(longest),
        rank_(mpi_rank_of(data)),
        size_(mpi_size_of(data)),
        notices_(notices, rank_, size_, options.deadline) {
    int* largest_tag = nullptr;
    int is_known = 0;
    check_mpi(MPI_Comm_get_attr(data, MPI_TAG_UB, static_cast<void*>(&largest_tag), &is_known),
              "MPI_Comm_get_attr");
    tags_ = static_cast<std::uint64_t>(is_known != 0 ? *largest_tag : 32'767) - first_tag;
    make_room(4 * size_);
  }

  MpiLink(MpiLink const&) = delete;
  MpiLink& operator=(MpiLink const&) = delete;

  /// Frees the communicators, unless MPI has ended or a rank may be gone, when the call might never return.
  ~MpiLink() {
    int is_finalized = 0;
    if (MPI_Finalized(&is_finalized) != MPI_SUCCESS || is_finalized != 0 || notices_.is_failed()) return;
    std::lock_guard const lock(*gate_);
    notices_.free();
    MPI_Comm_free(&data_);
  }

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return size_; }
  CommOptions const& options() const { return options_; }
  Gate const& gate() const { return gate_; }
  MPI_Comm data() const { return data_; }
  MpiNotices& notices() { return notices_; }

  /// Posts a message. Its memory is in use until `wait` returns.
  void send(void const* memory, std::size_t bytes, std::size_t peer, int tag) {
    post(const_cast<void*>(memory), bytes, peer, tag, true);
  }
  void receive(void* memory, std::size_t bytes, std::size_t peer, int tag) {
    post(memory, bytes, peer, tag, false);
  }

  /// A tag of this very operation: what other operations send does not match it.
  int tag_of(Fingerprint const& operation) const {
    std::uint64_t hash = layout_hash(layout_hash_seed, operation.sequence);
    hash = layout_hash(hash, shape_hash(operation));
    return static_cast<int>(first_tag + hash % tags_);
  }

  /// Of what must agree apart from the sequence number.
  static std::uint64_t shape_hash(Fingerprint const& operation) {
    std::uint64_t const kind = static_cast<std::uint64_t>(operation.operation) << 16 |
                               static_cast<std::uint64_t>(operation.type) << 8 |
                               static_cast<std::uint64_t>(operation.op);
    std::uint64_t const hash = layout_hash(layout_hash(layout_hash_seed, operation.count), operation.layout);
    return layout_hash(layout_hash(hash, kind), operation.root);
  }

  /// Starts an operation. Errors: what has made the communicator unusable; `FingerprintMismatch` if another
  /// rank was heard to do something else in its place.
  void begin(Fingerprint const& operation) {
    std::lock_guard const lock(*gate_);
    notices_.begin(operation);
  }

  /// Waits for everything posted. Errors: `PeerTimeout` if nothing happens until the deadline; the failure of
  /// another rank; `FingerprintMismatch` if a message has another size; `MpiError`.
  void wait(Fingerprint const& operation) {
    auto end = options_.give_up_time();
    auto notice_time = std::chrono::steady_clock::now() + patience();
    for (unsigned turn = 0; advance(operation, turn); ++turn) {
      if (has_progress_) {
        end = options_.give_up_time();
        turn = 0;
      }
      if (turn < gentle_after) {
        std::this_thread::yield();
        continue;
      }
      auto const now = std::chrono::steady_clock::now();
      if (now >= notice_time) {
        notice_time = end;
        std::lock_guard const lock(*gate_);
        notices_.tell_waiting(operation);
      }
      if (now >= end) give_up(operation);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    std::lock_guard const lock(*gate_);
    if (waiting_ > 0) abandon();
    requests_.clear();
    pending_.clear();
    notices_.check();
  }

  /// Reads what others have told. Errors: what has made the communicator unusable.
  void check() {
    std::lock_guard const lock(*gate_);
    if (!notices_.is_failed()) notices_.read();
    notices_.check();
  }

  void abort() noexcept {
    std::lock_guard const lock(*gate_);
    notices_.fail_aborted();
  }

  void fail_mismatch(std::size_t left_rank, Fingerprint const& left, std::size_t right_rank,
                     Fingerprint const& right) {
    std::lock_guard const lock(*gate_);
    notices_.fail_mismatch(left_rank, left, right_rank, right);
    notices_.check();
  }

 private:
  static constexpr std::uint64_t first_tag = 16;
  static constexpr unsigned gentle_after =
      2'000;  // turns without progress, then the core is given up for longer

  struct Pending {
    std::size_t before;  // of the same message, in the pieces before this one
    std::size_t bytes;
    std::size_t peer;
    bool is_send;
  };

  /// How long a rank waits before it tells the others where.
  std::chrono::milliseconds patience() const {
    constexpr std::chrono::milliseconds usual{100};
    return options_.deadline / 4 < usual ? options_.deadline / 4 : usual;
  }

  void make_room(std::size_t count) {
    requests_.reserve(count);
    pending_.reserve(count);
    indices_.resize(count);
    statuses_.resize(count);
  }

  void post(void* memory, std::size_t bytes, std::size_t peer, int tag, bool is_send) {
    std::lock_guard const lock(*gate_);
    auto* place = static_cast<std::byte*>(memory);
    std::size_t left = bytes;
    std::size_t piece = 0;
    do {  // the last piece is shorter than the others, if need be empty: so the other side sees where it ends
      piece = left < longest_ ? left : longest_;
      if (requests_.size() == indices_.size()) make_room(2 * indices_.size());
      MPI_Request request = MPI_REQUEST_NULL;
      int const count = static_cast<int>(piece);
      int const other = static_cast<int>(peer);
      if (is_send) {
        check_mpi(MPI_Isend(place, count, MPI_BYTE, other, tag, data_, &request), "MPI_Isend");
      } else {
        check_mpi(MPI_Irecv(place, count, MPI_BYTE, other, tag, data_, &request), "MPI_Irecv");
      }
      requests_.push_back(request);
      pending_.push_back({bytes - left, piece, peer, is_send});
      ++waiting_;
      if (place != nullptr) place += piece;
      left -= piece;
    } while (piece == longest_);
  }

  /// Whether there is something left to wait for.
  bool advance(Fingerprint const& operation, unsigned turn) {
    std::lock_guard const lock(*gate_);
    has_progress_ = false;
    if (waiting_ == 0 || notices_.is_failed()) return false;
    try {
      test(operation);
      if (turn % 8 == 7) notices_.read();
    } catch (...) {
      notices_.fail_aborted();
      abandon();
      throw;
    }
    return waiting_ > 0 && !notices_.is_failed();
  }

  void test(Fingerprint const& operation) {
    int ended = 0;
    int const code = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &ended,
                                  indices_.data(), statuses_.data());
    if (code != MPI_ERR_IN_STATUS) check_mpi(code, "MPI_Testsome");
    if (ended == MPI_UNDEFINED) return;
    has_progress_ = ended > 0;
    waiting_ -= static_cast<std::size_t>(ended);
    for (std::size_t i = 0; i < static_cast<std::size_t>(ended); ++i) {
      check_ended(operation, pending_[static_cast<std::size_t>(indices_[i])], statuses_[i],
                  code == MPI_ERR_IN_STATUS ? statuses_[i].MPI_ERROR : MPI_SUCCESS);
    }
  }

  void check_ended(Fingerprint const& operation, Pending const& pending, MPI_Status const& status,
                   int error) {
    int error_class = MPI_SUCCESS;
    MPI_Error_class(error, &error_class);
    bool const is_too_long = error_class == MPI_ERR_TRUNCATE;
    if (!is_too_long) check_mpi(error, pending.is_send ? "MPI_Isend" : "MPI_Irecv");
    if (pending.is_send) return;
    int count = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
    if (!is_too_long && static_cast<std::size_t>(count) == pending.bytes) return;
    Fingerprint received = operation;
    received.type = WireType::bytes;
    received.count = pending.before + pending.bytes;
    Fingerprint sent = received;
    sent.count =
        is_too_long ? received.count + 1 : pending.before + static_cast<std::size_t>(count);  // at least
    notices_.fail_mismatch(pending.peer, sent, rank_, received);
  }

  void give_up(Fingerprint const& operation) {
    std::lock_guard const lock(*gate_);
    std::size_t first = size_;
    std::string missing;
    for (std::size_t peer = 0; peer < size_; ++peer) {
      bool is_missing = false;
      for (std::size_t i = 0; i < pending_.size(); ++i) {
        is_missing = is_missing || (pending_[i].peer == peer && requests_[i] != MPI_REQUEST_NULL);
      }
      if (!is_missing) continue;
      if (missing.empty()) first = peer;
      missing += (missing.empty() ? "rank " : ", rank ") + std::to_string(peer);
    }
    notices_.fail_timeout(operation, first, missing);
  }

  /// Takes back what can be taken back: receives that have not begun.
  void abandon() noexcept {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (requests_[i] != MPI_REQUEST_NULL && !pending_[i].is_send) MPI_Cancel(&requests_[i]);
    }
    for (MPI_Request& request : requests_) {
      int is_done = 0;
      if (request != MPI_REQUEST_NULL) MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
      if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
    }
    requests_.clear();
    pending_.clear();
    waiting_ = 0;
  }

  MPI_Comm data_;
  CommOptions options_;
  Gate gate_;
  std::size_t longest_;
  std::size_t rank_;
  std::size_t size_;
  MpiNotices notices_;
  std::uint64_t tags_ = 0;

  std::vector<MPI_Request> requests_;  // this and the following: of the operation that runs
  std::vector<Pending> pending_;
  std::vector<int> indices_;
  std::vector<MPI_Status> statuses_;
  std::size_t waiting_ = 0;
  bool has_progress_ = false;
};

}  // namespace weir::inline v1::detail
