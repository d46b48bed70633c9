#include "weir/pipeline/schedule/zb_h1.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<ZbH1>);

constexpr auto four = table<ZbH1, 3, 4>();
static_assert(is_row(four, 1, "1F0 1F1 1I0 1F2 1I1 1W0 1F3 1I2 1W1 1I3 1W2 1W3"));
static_assert(validate(four));
static_assert(validate(table<ZbH1, 4, 2>()));

}  // namespace
