// expect: give it a ThresholdSparsifier, and no other stage; it has an error feedback of its own
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

weir::ThresholdSparsifier const sparsifier{{.density = 0.01}};
#ifdef WEIR_FAIL_CONTROL
weir::MomentumCorrection const correction{sparsifier};
#else
weir::MomentumCorrection const correction{weir::ErrorFeedback{sparsifier}};
#endif
