// expect: ErrorFeedback keeps what a sparsifier does not send
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"

#ifdef WEIR_FAIL_CONTROL
weir::ErrorFeedback const feedback{weir::ThresholdSparsifier{{.density = 0.01}}};
#else
weir::ErrorFeedback const feedback{weir::Sgd{{.learning_rate = 0.1}}};
#endif
