#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"

namespace weir::inline v1::detail {

/// One of the two streams of micro-batches that meet on a worker.
struct Way {
  std::uint32_t stage;
  Direction direction;
  std::uint32_t first;  ///< micro-batch
};

/// The steps of DualPipe and DualPipe-V on one worker, where a forward of one way is issued together with a
/// backward of the other.
template <class Out>
class TwoWaySteps {
 public:
  constexpr TwoWaySteps(Out& out, Way const& x, Way const& y) : out_(out), x_{x}, y_{y} {}

  /// `depth` workers take part, this one is number `rank`, and each way has `count` micro-batches, at least
  /// twice the depth.
  constexpr void emit(std::uint32_t depth, std::uint32_t rank, std::uint32_t count) {
    std::uint32_t const rest = depth - rank - 1;
    for (std::uint32_t i = 0; i < 2 * rest; ++i) forward(x_);
    for (std::uint32_t i = 0; i <= rank; ++i) {
      forward(x_);
      forward(y_);
    }
    for (std::uint32_t i = 0; i < rest; ++i) {
      backward_input(y_);
      weight();
      forward(y_);
    }
    for (std::uint32_t i = 0; i < count - 2 * depth + rank + 1; ++i) {
      if (i == 0 && rest == 0) {
        forward(x_);
        backward(y_);
      } else {
        pair(x_, y_);
      }
      pair(y_, x_);
    }
    for (std::uint32_t i = 0; i < rest; ++i) {
      backward(y_);
      pair(y_, x_);
    }
    for (std::uint32_t i = 0; i < 2 * (rank + 1); ++i) {
      Counted& way = i % 2 == 0 ? y_ : x_;
      if (i <= rank) {
        backward(way);
      } else {
        backward_input(way);
      }
    }
    for (std::uint32_t i = 0; i < rest; ++i) {
      weight();
      backward_input(x_);
    }
    for (std::uint32_t i = 0; i <= rank; ++i) weight();
  }

 private:
  struct Counted {
    Way way;
    std::uint32_t forwards = 0;
    std::uint32_t backwards = 0;
  };
  struct Weight {
    Way way;
    std::uint32_t micro_batch;
  };

  constexpr void put(OperationKind kind, Way const& way, std::uint32_t count) {
    out_(kind, way.stage, way.first + count, way.direction);
  }
  constexpr void forward(Counted& way) { put(OperationKind::forward, way.way, way.forwards++); }
  constexpr void backward(Counted& way) { put(OperationKind::backward, way.way, way.backwards++); }
  constexpr void backward_input(Counted& way) {
    weights_.push_back({way.way, way.backwards});
    put(OperationKind::backward_input, way.way, way.backwards++);
  }
  constexpr void weight() {
    Weight const& weight = weights_[weights_done_++];
    put(OperationKind::backward_weight, weight.way, weight.micro_batch);
  }
  constexpr void pair(Counted& forward_way, Counted& backward_way) {
    put(OperationKind::pair, forward_way.way, forward_way.forwards++);
    backward(backward_way);
  }

  Out& out_;
  Counted x_;
  Counted y_;
  std::vector<Weight> weights_;
  std::size_t weights_done_ = 0;
};

}  // namespace weir::inline v1::detail
