// expect: only a threshold that is counted or fitted once can be shared
#include "weir/comm/self.hpp"
#include "weir/compress/shared_threshold.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Policy = weir::Histogram;
#else
using Policy = weir::GaussianK;
#endif

weir::SharedThreshold const shared{weir::SelfCommunicator{},
                                   weir::ThresholdSparsifier{{.density = 0.01}, Policy{}}};
