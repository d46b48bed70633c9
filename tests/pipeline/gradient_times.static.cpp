#include "weir/pipeline/gradient_times.hpp"

#include "weir/pipeline/schedule/pipedream_2bw.hpp"

namespace {

using namespace weir;

/// The last gradient of a period completes it, whatever the order.
constexpr bool completes() {
  constexpr auto table = weir::table<PipeDream2BW, 2, 4>();
  detail::GradientTimes times(table);
  auto const note = [&times](std::uint32_t j, std::int64_t end) {
    times.note({OperationKind::backward, Direction::forward, 1, j, 0, j / 2}, end);
  };
  times.note({OperationKind::forward, Direction::forward, 1, 0}, 3);
  note(0, 9);
  if (times.complete(1, 1) != detail::GradientTimes::not_yet) return false;
  note(1, 7);
  note(2, 12);
  return times.complete(1, 1) == 9 && times.complete(1, 2) == detail::GradientTimes::not_yet &&
         times.complete(0, 1) == detail::GradientTimes::not_yet;
}
static_assert(completes());

}  // namespace
