// expect: EF21 would remember what is not finite
#include "weir/compress/ef21.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Rule = weir::OnNonFinite<weir::NonFinitePolicy::error>;
#else
using Rule = weir::OnNonFinite<weir::NonFinitePolicy::propagate>;
#endif

weir::EF21 const stage{
    weir::ThresholdSparsifier{{.density = 0.01}, weir::Histogram{}, weir::FixedStages<1>{}, Rule{}}};
