// expect: this threshold policy cannot be fitted in stages
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Stages = weir::FixedStages<1>;
#else
using Stages = weir::FixedStages<3>;
#endif

weir::ThresholdSparsifier const sparsifier{{.density = 0.01}, weir::Gamma{}, Stages{}};
