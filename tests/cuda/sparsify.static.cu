// A policy of a program's own, compiled for a device by one line.
#include "weir/cuda/vocabulary.cuh"
#include "weir/exec/sparsifying_backend.hpp"

namespace {

struct MyPolicy {
  static constexpr char const* name = "twice the mean";
  WEIR_HOST_DEVICE double fit(weir::TailStatistics const& tail, double) const { return 2.0 * tail.mean(); }
};

}  // namespace

static_assert(weir::SparsifyingBackend<weir::CudaExecutor, MyPolicy>);

// clang-format off
template void weir::sparsify(weir::CudaExecutor const&,
                             weir::SparsifyWork<float, float, weir::DeviceSpace> const&, MyPolicy const&);
// clang-format on
