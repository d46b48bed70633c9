#include "weir/pipeline/schedule/dualpipe.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<DualPipe>);

constexpr auto four = table<DualPipe, 2, 4>();
static_assert(is_row(four, 0, "0F0 1F2r 0F1 1B2r (1F3r;0B0) 1B3r 0I1 0W1"));
static_assert(is_row(four, 1, "0F2r 1F0 0F3r 1B0 (1F1;0B2r) 1B1 0I3r 0W3r"));
static_assert(validate(four));
static_assert(refusal<DualPipe>({.workers = 3, .micro_batches = 8}).nearest == 4);
static_assert(refusal<DualPipe>({.workers = 4, .micro_batches = 6}).nearest == 8);
static_assert(refusal<DualPipe>({.workers = 4, .micro_batches = 9}).nearest == 10);

}  // namespace
