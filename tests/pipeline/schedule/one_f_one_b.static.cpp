#include "weir/pipeline/schedule/one_f_one_b.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<OneFOneB>);

constexpr auto four = table<OneFOneB, 3, 4>();
static_assert(is_row(four, 0, "0F0 0F1 0F2 0B0 0F3 0B1 0B2 0B3"));
static_assert(is_row(four, 1, "1F0 1F1 1B0 1F2 1B1 1F3 1B2 1B3"));
static_assert(is_row(four, 2, "2F0 2B0 2F1 2B1 2F2 2B2 2F3 2B3"));
static_assert(validate(table<OneFOneB, 4, 8>()));
static_assert(validate(table<OneFOneB, 4, 1>()));

}  // namespace
