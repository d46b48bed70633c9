#include "weir/pipeline/place_communication.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

constexpr std::uint64_t kinds(TableView const& table, std::uint32_t worker) {
  std::uint64_t digits = 0;
  for (Operation const& each : table.worker(worker)) {
    std::uint64_t digit = is_forward(each) ? 1 : 2;
    if (is_send(each)) digit = 7;
    if (is_receive(each)) digit = 8;
    digits = digits * 10 + digit;
  }
  return digits;
}
constexpr auto two = table<OneFOneB, 2, 2>();
static_assert(kinds(place_communication(two), 0) == 1717'82'82);
static_assert(kinds(place_communication(two), 1) == 81'27'81'27);
// One slot ahead: both receives of worker 1 before its first forward, and the first.
static_assert(kinds(place_communication(two, 1), 1) == 81'82'71'27);

static_assert(validate(place_communication(two)));
static_assert(validate(place_communication(table<WPipe, 2, 4>(), 2)));
static_assert(validate(place_communication(table<DualPipe, 2, 4>(), 1)));

}  // namespace
