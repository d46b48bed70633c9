// expect: a callable without members is made anew where it is called, so it needs a default constructor
#include "weir/pipeline/loss_weight.hpp"

struct Half {
#ifdef WEIR_FAIL_CONTROL
  Half() = default;
#endif
  explicit Half(int) {}

  double operator()(weir::WeightedMicroBatch const&) const {
    return 0.5;
  }
};

weir::LossWeight weight(Half const& half) {
  return half;
}
