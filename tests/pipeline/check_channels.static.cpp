#include "weir/pipeline/check_channels.hpp"

#include "weir/pipeline/place_communication.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using namespace weir;

/// 1F1B on two workers with its communication, changed: worker 0 does F send F send, receive B receive B.
template <class Change>
constexpr Validation checked(Change const& change) {
  ScheduleTable table = place_communication(weir::table<OneFOneB, 2, 2>());
  change(table.operations());
  Validation result(10);
  OperationIndex const index(table);
  detail::ChannelCheck(table, index, result).run();
  return result;
}
constexpr bool is_only(Validation const& validation, ViolationKind kind, OperationKind cell) {
  return validation.count() == 1 && validation.violations()[0].kind == kind &&
         validation.violations()[0].cell.kind == cell;
}
static_assert(checked([](std::span<Operation>) {}));
static_assert(is_only(checked([](std::span<Operation> all) { std::swap(all[0], all[1]); }),
                      ViolationKind::too_early, OperationKind::send_forward));
static_assert(is_only(checked([](std::span<Operation> all) { std::swap(all[4], all[5]); }),
                      ViolationKind::too_late, OperationKind::receive_backward));
// Nothing is sent twice, and nothing forgotten.
static_assert(
    checked([](std::span<Operation> all) { all[1].kind = OperationKind::barrier; }).violations()[0].kind ==
    ViolationKind::not_sent);
static_assert(checked([](std::span<Operation> all) { all[3] = all[1]; }).count(ViolationCode::duplicate) ==
              1);
static_assert(checked([](std::span<Operation> all) { all[3].kind = OperationKind::send_backward; })
                  .violations()[1]
                  .kind == ViolationKind::no_partner);

}  // namespace
