#include "support/host_verbs.hpp"

namespace weir::inline v1 {

template void fill<float>(HostExecutor const&, HostView<float>, float);
template void fill<double>(HostExecutor const&, HostView<double>, double);
template void measure<float>(HostExecutor const&, HostView<float>, Measurement*);
template void measure<double>(HostExecutor const&, HostView<double>, Measurement*);
template void add_scaled<float, float>(HostExecutor const&, HostView<float>, float, HostView<float>);
template void sum_weighted<float, float>(HostExecutor const&, std::span<WeightedTerm<float, HostSpace> const>,
                                         HostView<float>, SumEpilogue);
template void sum_weighted<double, double>(HostExecutor const&,
                                           std::span<WeightedTerm<double, HostSpace> const>, HostView<double>,
                                           SumEpilogue);
template void sum_weighted<half, float>(HostExecutor const&, std::span<WeightedTerm<half, HostSpace> const>,
                                        HostView<float>, SumEpilogue);
template void sum_weighted<bfloat16, float>(HostExecutor const&,
                                            std::span<WeightedTerm<bfloat16, HostSpace> const>,
                                            HostView<float>, SumEpilogue);
template void sum_weighted<float, double>(HostExecutor const&,
                                          std::span<WeightedTerm<float, HostSpace> const>, HostView<double>,
                                          SumEpilogue);
template void sum_weighted<half, double>(HostExecutor const&, std::span<WeightedTerm<half, HostSpace> const>,
                                         HostView<double>, SumEpilogue);
template void sum_weighted<bfloat16, double>(HostExecutor const&,
                                             std::span<WeightedTerm<bfloat16, HostSpace> const>,
                                             HostView<double>, SumEpilogue);
template void sgd_update<float>(HostExecutor const&, HostView<float const>, HostView<float>,
                                HostView<float const>, HostView<float>, SgdConstants, OptimizerState const*,
                                GradientScale);
template void sgd_update<double>(HostExecutor const&, HostView<double const>, HostView<double>,
                                 HostView<double const>, HostView<double>, SgdConstants,
                                 OptimizerState const*, GradientScale);
template void adamw_update<float>(HostExecutor const&, HostView<float const>, HostView<float>,
                                  HostView<float const>, HostView<float>, HostView<float>, AdamConstants,
                                  OptimizerState const*, GradientScale);
template void adamw_update<double>(HostExecutor const&, HostView<double const>, HostView<double>,
                                   HostView<double const>, HostView<double>, HostView<double>, AdamConstants,
                                   OptimizerState const*, GradientScale);

}  // namespace weir::inline v1
