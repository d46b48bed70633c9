// expect: only a threshold that is fitted once can be shared
#include "weir/comm/self.hpp"
#include "weir/compress/shared_threshold.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Policy = weir::Exponential;
#else
using Policy = weir::Histogram;
#endif

weir::SharedThreshold const shared{weir::SelfCommunicator{},
                                   weir::ThresholdSparsifier{{.density = 0.01}, Policy{}}};
