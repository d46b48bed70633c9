#include "weir/pipeline/schedule/zb_h2.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<ZbH2>);

constexpr auto four = table<ZbH2, 2, 4>();
static_assert(is_row(four, 0, "0F0 0F1 0F2 0I0 0W0 0F3 0I1 0W1 0I2 0W2 0I3 0W3"));
static_assert(is_row(four, 1, "1F0 1I0 1F1 1I1 1F2 1I2 1W0 1F3 1I3 1W1 1W2 1W3"));
static_assert(validate(four));
static_assert(validate(table<ZbH2, 4, 3>()));

}  // namespace
