#include "weir/pipeline/schedule/split_counter.hpp"

namespace {

using namespace weir;

/// What is emitted as digits: 1 for F, 3 for I, 4 for W, and the micro-batch.
constexpr std::uint64_t order_of_two() {
  std::uint64_t order = 0;
  auto out = [&order](OperationKind kind, std::uint32_t, std::uint32_t micro_batch) {
    std::uint64_t const digit = kind == OperationKind::forward          ? 1
                                : kind == OperationKind::backward_input ? 3
                                                                        : 4;
    order = (order * 10 + digit) * 10 + micro_batch;
  };
  detail::SplitCounter counter(out, 0, 2);
  counter.weight();  // there is none yet
  counter.forward();
  counter.input();
  counter.forward();
  counter.forward();  // there are two only
  counter.input();
  counter.all_weights();
  counter.weight();
  return order;
}
static_assert(order_of_two() == 103011314041);

}  // namespace
