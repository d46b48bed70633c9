#include "weir/exec/arithmetic_element.hpp"

namespace {

using weir::bfloat16;
using weir::half;

static_assert(weir::ArithmeticElement<half> && !weir::ArithmeticElement<int>);
static_assert(weir::ExactIn<half, float> && weir::ExactIn<float const, double> &&
              weir::ExactIn<float, float>);
static_assert(!weir::ExactIn<double, float> && !weir::ExactIn<half, half> && !weir::ExactIn<int, float>);
static_assert(weir::CopyableElement<bfloat16 const, double> && weir::CopyableElement<int const, int>);
static_assert(!weir::CopyableElement<int, float>);

}  // namespace
