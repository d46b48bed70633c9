#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "errors.hpp"
#include "weir/comm/reduce_op.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// The few numbers that ranks exchange besides gradients. Each call waits.
template <class Executor, class Communicator>
class RankSums {
 public:
  RankSums(Executor const& executor, Communicator const& communicator)
      : executor_(executor), communicator_(communicator), sums_(executor, 2), hashes_(executor, 2) {}

  /// Of all ranks.
  weir::LossSum total(weir::LossSum const& loss) const {
    double numbers[] = {loss.sum, static_cast<double>(loss.samples)};
    all_reduce(std::span<double>(numbers), sums_, weir::ReduceOp::sum);
    return {numbers[0], static_cast<std::size_t>(numbers[1])};
  }

  /// Errors: `SharedRunError` if the weights are not the same on all ranks.
  void compare_weights(std::uint64_t hash) const {
    std::uint64_t largest[] = {hash, ~hash};
    all_reduce(std::span<std::uint64_t>(largest), hashes_, weir::ReduceOp::max);
    if (largest[0] != ~largest[1])
      throw SharedRunError("the ranks ended with different weights; equal ones would be right");
  }

 private:
  template <class Number>
  void all_reduce(std::span<Number> numbers, weir::Buffer<Number, Executor> const& buffer,
                  weir::ReduceOp op) const {
    copy_from_host(executor_, numbers.data(), buffer.data(), numbers.size_bytes());
    communicator_.all_reduce(executor_, buffer.view(), op);
    copy_to_host(executor_, buffer.data(), numbers.data(), numbers.size_bytes());
    executor_.synchronize();
  }

  Executor const& executor_;
  Communicator const& communicator_;
  weir::Buffer<double, Executor> sums_;
  weir::Buffer<std::uint64_t, Executor> hashes_;
};

}  // namespace weir_train
