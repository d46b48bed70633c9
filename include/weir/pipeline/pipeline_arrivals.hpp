#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "weir/pipeline/operation.hpp"

namespace weir::inline v1::detail {

/// In which order the workers of a pipeline receive messages, in training and in evaluation, and how far each
/// is: receives are posted before they are due.
template <class Channel>
class PipelineArrivals {
 public:
  struct Arrival {
    Channel* channel = nullptr;
    Operation operation = {};  // that receives
  };

  void resize(std::size_t workers) {
    for (auto& lists : lists_) lists.resize(workers);
    positions_.resize(workers);
  }
  void add(bool is_evaluation, std::size_t worker, Arrival const& arrival) {
    lists_[is_evaluation ? 1 : 0][worker].push_back(arrival);
  }

  /// At the begin of a run.
  void begin(std::size_t worker) { positions_[worker] = {}; }

  /// Before the next message is waited for: calls `post(arrival)` for it and for those behind it, `ahead` in
  /// all, unless it has been called for them.
  template <class Post>
  void advance(bool is_evaluation, std::size_t worker, std::size_t ahead, Post const& post) {
    auto const& list = lists_[is_evaluation ? 1 : 0][worker];
    auto& [posted, received] = positions_[worker];
    for (; posted < list.size() && posted - received < ahead; ++posted) post(list[posted]);
    ++received;
  }

 private:
  struct Position {
    std::size_t posted = 0;
    std::size_t received = 0;
  };

  std::array<std::vector<std::vector<Arrival>>, 2> lists_;  // by worker
  std::vector<Position> positions_;
};

}  // namespace weir::inline v1::detail
