// expect: this is no threshold policy: a trivially copyable struct with a name and a function
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"

struct Mine {
  static constexpr char const* name = "mine";
#ifdef WEIR_FAIL_CONTROL
  double fit(weir::TailStatistics const& tail, double) const {
    return tail.mean();
  }
#else
  double threshold(weir::TailStatistics const& tail, double) const {
    return tail.mean();
  }
#endif
};

weir::ThresholdSparsifier const sparsifier{{.density = 0.01}, Mine{}};
