#include "weir/pipeline/schedule/sequential.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<Sequential>);

constexpr auto four = table<Sequential, 2, 4>();
static_assert(is_row(four, 0, "0F0 0B0 0F1 0B1 0F2 0B2 0F3 0B3"));
static_assert(is_row(four, 1, "1F0 1B0 1F1 1B1 1F2 1B2 1F3 1B3"));
static_assert(validate(four));
static_assert(refusal<Sequential>({.workers = 2, .micro_batches = 4, .chunks = 2}).parameter ==
              ShapeParameter::chunks);

}  // namespace
