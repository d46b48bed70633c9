#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "errors.hpp"
#include "weir/comm/reduce_op.hpp"
#include "weir/tensor/view.hpp"
#include "weir/workers/loss_sum.hpp"

namespace weir_train {

/// The few numbers that ranks exchange besides gradients. Each call waits.
template <class Executor, class Communicator>
class RankSums {
 public:
  RankSums(Executor const& executor, Communicator const& communicator)
      : executor_(executor), communicator_(communicator) {}

  /// Of all ranks.
  weir::LossSum total(weir::LossSum const& loss) const {
    double numbers[] = {loss.sum, static_cast<double>(loss.samples)};
    communicator_.all_reduce(executor_, weir::view(numbers, 2));
    executor_.synchronize();
    return {numbers[0], static_cast<std::size_t>(numbers[1])};
  }

  /// Errors: `RunError` on all ranks if the weights are not the same on all.
  void compare_weights(std::uint64_t hash) const {
    std::uint64_t largest[] = {hash, ~hash};
    communicator_.all_reduce(executor_, weir::view(largest, 2), weir::ReduceOp::max);
    executor_.synchronize();
    if (largest[0] != ~largest[1])
      throw RunError("the ranks ended with different weights; equal ones would be right");
  }

 private:
  Executor const& executor_;
  Communicator const& communicator_;
};

}  // namespace weir_train
