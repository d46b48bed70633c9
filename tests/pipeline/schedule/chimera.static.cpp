#include "weir/pipeline/schedule/chimera.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<Chimera>);

constexpr auto four = table<Chimera, 4, 4>();
static_assert(is_row(four, 0, "0F0 0F1 3F2r 3B2r 3F3r 3B3r 0B0 0B1"));
static_assert(is_row(four, 1, "1F0 2F2r 1F1 2F3r 2B2r 1B0 2B3r 1B1"));
static_assert(validate(four));
static_assert(validate(table<Chimera, 4, 6>()));
static_assert(validate(table<Chimera, 2, 2>()));
static_assert(refusal<Chimera>({.workers = 3, .micro_batches = 4}).nearest == 4);
static_assert(refusal<Chimera>({.workers = 4, .micro_batches = 5}).nearest == 6);

}  // namespace
