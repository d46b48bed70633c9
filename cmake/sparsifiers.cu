// The second source of weir::cuda_kernels: the verb `sparsify` for the policies of this library, which the
// backend does not know. Another policy is instantiated in the same way, in a .cu of the program's own.
#include "weir/compress/threshold/deferred.hpp"
#include "weir/compress/threshold/everything.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gamma_approximate.hpp"
#include "weir/compress/threshold/gamma_pareto.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/normal.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/red_sync.hpp"
#include "weir/compress/threshold/red_sync_trim.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"
#include "weir/cuda/vocabulary.cuh"
#include "weir/exec/shared_rank_steps.hpp"

namespace weir::inline v1 {

template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, Deferred const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       Deferred const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, Deferred const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       Deferred const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, Everything const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       Everything const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       Everything const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       Everything const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, ExactTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       ExactTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, ExactTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       ExactTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       Exponential const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       Exponential const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       Exponential const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       Exponential const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, Gamma const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&, Gamma const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, Gamma const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       GammaApproximate const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       GammaApproximate const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       GammaApproximate const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       GammaPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       GammaPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       GammaPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, GaussianK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       GaussianK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, GaussianK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       GeneralizedPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       GeneralizedPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       GeneralizedPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       GeneralizedPareto const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, Histogram const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       Histogram const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, Histogram const&);
template void sparsify(CudaExecutor const&, SparsifyWork<double, double, DeviceSpace> const&,
                       Histogram const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, Normal const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&, Normal const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, Normal const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, RandomK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       RandomK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, RandomK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&, RedSync const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       RedSync const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&, RedSync const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       RedSyncTrim const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       RedSyncTrim const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       RedSyncTrim const&);
template void sparsify(CudaExecutor const&, SparsifyWork<half, float, DeviceSpace> const&,
                       SampledTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<bfloat16, float, DeviceSpace> const&,
                       SampledTopK const&);
template void sparsify(CudaExecutor const&, SparsifyWork<float, float, DeviceSpace> const&,
                       SampledTopK const&);

template void apply_scalars(CudaExecutor const&, StartSharedRank<ExactTopK, float>);
template void apply_scalars(CudaExecutor const&, StartSharedRank<ExactTopK, double>);
template void apply_scalars(CudaExecutor const&, StartSharedRank<Histogram, float>);
template void apply_scalars(CudaExecutor const&, StartSharedRank<Histogram, double>);

}  // namespace weir::inline v1
