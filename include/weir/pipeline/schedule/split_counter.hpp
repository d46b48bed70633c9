#pragma once

#include <cstdint>

#include "weir/pipeline/schedule.hpp"

namespace weir::inline v1::detail {

/// Emits forwards, input gradients and weight gradients of one stage, each kind in the order of the
/// micro-batches.
template <class Out>
class SplitCounter {
 public:
  constexpr SplitCounter(Out& out, std::uint32_t stage, std::uint32_t micro_batches)
      : out_(out), stage_(stage), micro_batches_(micro_batches) {}

  constexpr void forward() {
    if (forwards_ < micro_batches_) out_(OperationKind::forward, stage_, forwards_++);
  }
  constexpr void input() {
    if (inputs_ < micro_batches_) out_(OperationKind::backward_input, stage_, inputs_++);
  }
  constexpr void weight() {
    if (weights_ < inputs_) out_(OperationKind::backward_weight, stage_, weights_++);
  }
  constexpr void all_weights() {
    while (weights_ < inputs_) weight();
  }
  constexpr bool has_forwards() const { return forwards_ < micro_batches_; }

 private:
  Out& out_;
  std::uint32_t stage_;
  std::uint32_t micro_batches_;
  std::uint32_t forwards_ = 0;
  std::uint32_t inputs_ = 0;
  std::uint32_t weights_ = 0;
};

}  // namespace weir::inline v1::detail
