#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "weir/comm/message_numbers.hpp"
#include "weir/comm/message_pool.hpp"
#include "weir/comm/remote_transport.hpp"
#include "weir/core/error.hpp"

/// Joins pipelines of one program, of which each stands for a process. A message leaves its buffer when it is
/// received, into the one that was posted for it.
class JoinedTransport {
 public:
  static constexpr std::size_t trailer_bytes = 0;
  static constexpr std::size_t prefetch = 3;

  /// What those of a group share.
  struct Group {
    struct Sent {
      weir::PipelineMessage message;
      bool is_received = false;
    };

    std::mutex mutex;
    std::vector<std::vector<Sent>> edges;
    bool has_failed = false;
  };

  /// `places`: of the workers; `here`: of this pipeline.
  JoinedTransport(std::shared_ptr<Group> group, std::vector<std::size_t> places, std::size_t here)
      : group_(std::move(group)), places_(std::move(places)), here_(here) {}

  std::vector<std::size_t> places(std::uint32_t) { return places_; }
  bool is_here(std::size_t place) const { return place == here_; }

  void open(std::span<weir::PipelineEdge const> edges, std::uint32_t needed, weir::MessageNumbers const&) {
    std::lock_guard const lock(group_->mutex);
    capacity_ = needed;
    edges_.assign(edges.begin(), edges.end());
    posted_.resize(edges.size());
    group_->edges.resize(edges.size());
    for (auto& edge : group_->edges) edge.reserve(needed);
    for (auto& edge : posted_) edge.reserve(prefetch);
  }
  std::uint32_t capacity(std::size_t) const { return capacity_; }

  bool try_send(std::size_t edge, weir::PipelineMessage const& message) {
    std::lock_guard const lock(group_->mutex);
    check();
    take_back(edge);
    if (group_->edges[edge].size() == capacity_) return false;
    group_->edges[edge].push_back({message});
    return true;
  }

  void post_receive(std::size_t edge, weir::MessageTag const& tag, weir::PipelineMessage const& message) {
    std::lock_guard const lock(group_->mutex);
    if (posted_[edge].size() == prefetch)
      throw weir::ContractViolation(text(edges_[edge]) + ": more receives are posted than `prefetch`");
    posted_[edge].push_back(message);
    posted_[edge].back().tag = tag;
  }

  bool try_receive(std::size_t edge, weir::MessageTag const& tag, weir::PipelineMessage& message) {
    std::lock_guard const lock(group_->mutex);
    check();
    for (std::size_t i = 0; i < posted_[edge].size(); ++i) {
      weir::PipelineMessage const due = posted_[edge][i];
      if (!(due.tag == tag)) continue;
      for (Group::Sent& sent : group_->edges[edge]) {
        if (sent.is_received || !(sent.message.tag == tag)) continue;
        if (sent.message.bytes != due.bytes) throw weir::ContractViolation(text(tag) + " has another size");
        std::memcpy(due.data, sent.message.data, due.bytes);
        sent.is_received = true;
        message = due;
        posted_[edge].erase(posted_[edge].begin() + static_cast<std::ptrdiff_t>(i));
        return true;
      }
      return false;
    }
    throw weir::ContractViolation(text(edges_[edge]) + ": no receive was posted for " + text(tag));
  }

  bool try_flush(std::size_t edge) {
    std::lock_guard const lock(group_->mutex);
    check();
    take_back(edge);
    return group_->edges[edge].empty();
  }

  bool has_failed() {
    std::lock_guard const lock(group_->mutex);
    return group_->has_failed;
  }
  /// When none of the group is at work.
  void clear() {
    std::lock_guard const lock(group_->mutex);
    group_->has_failed = false;
    for (auto& edge : group_->edges) edge.clear();
    for (auto& edge : posted_) edge.clear();
  }
  void cancel() noexcept {
    std::lock_guard const lock(group_->mutex);
    group_->has_failed = true;
  }
  bool close() noexcept { return true; }

 private:
  void check() const {
    if (group_->has_failed) throw weir::PeerAborted("another process has failed");
  }
  void take_back(std::size_t edge) {
    auto& sent = group_->edges[edge];
    for (std::size_t i = sent.size(); i-- > 0;) {
      if (!sent[i].is_received) continue;
      sent[i].message.home->give_back(sent[i].message.data);
      sent.erase(sent.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  std::shared_ptr<Group> group_;
  std::vector<std::size_t> places_;
  std::size_t here_;
  std::uint32_t capacity_ = 0;
  std::vector<weir::PipelineEdge> edges_;
  std::vector<std::vector<weir::PipelineMessage>> posted_;  // by edge
};

static_assert(weir::RemoteTransport<JoinedTransport>);
