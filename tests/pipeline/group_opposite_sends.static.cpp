#include "weir/pipeline/group_opposite_sends.hpp"

#include "weir/pipeline/compute_only.hpp"
#include "weir/pipeline/place_communication.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

// Three slots ahead worker 1 begins with messages from worker 0, from worker 2, and again from worker 0.
constexpr auto plain = table<OneFOneB, 3, 4>();
constexpr ScheduleTable grouped() {
  return group_opposite_sends(place_communication(plain, 3));
}
static_assert(validate(grouped()));
static_assert(compute_only(grouped()).view() == plain.view());

/// Between two slots no worker is talked to in two places, and receives stand behind sends.
constexpr bool is_grouped(TableView const& table, std::uint32_t worker) {
  OperationIndex const index(table);
  std::span<Operation const> const operations = table.worker(worker);
  for (std::size_t i = 1; i < operations.size(); ++i) {
    if (!is_communication(operations[i]) || !is_communication(operations[i - 1])) continue;
    std::uint32_t const peer = peer_of(index, operations[i]);
    bool const goes_on = peer_of(index, operations[i - 1]) == peer;
    if (goes_on && is_send(operations[i]) && is_receive(operations[i - 1])) return false;
    for (std::size_t j = i - 1; !goes_on && j-- > 0 && is_communication(operations[j]);) {
      if (peer_of(index, operations[j]) == peer) return false;
    }
  }
  return true;
}
static_assert(is_grouped(grouped(), 0) && is_grouped(grouped(), 1) && is_grouped(grouped(), 2));
static_assert(!is_grouped(place_communication(plain, 3), 1));

}  // namespace
