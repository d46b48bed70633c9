#pragma once

#include <span>

#include "weir/host/executor.hpp"

// The host's verbs that most suites use are compiled once, in host_verbs.cpp, and not in each of their units.

namespace weir::inline v1 {

extern template void fill<float>(HostExecutor const&, HostView<float>, float);
extern template void fill<double>(HostExecutor const&, HostView<double>, double);
extern template void measure<float>(HostExecutor const&, HostView<float>, Measurement*);
extern template void measure<double>(HostExecutor const&, HostView<double>, Measurement*);
extern template void add_scaled<float, float>(HostExecutor const&, HostView<float>, float, HostView<float>);
extern template void sum_weighted<float, float>(HostExecutor const&,
                                                std::span<WeightedTerm<float, HostSpace> const>,
                                                HostView<float>, SumEpilogue);
extern template void sum_weighted<double, double>(HostExecutor const&,
                                                  std::span<WeightedTerm<double, HostSpace> const>,
                                                  HostView<double>, SumEpilogue);
extern template void sum_weighted<half, float>(HostExecutor const&,
                                               std::span<WeightedTerm<half, HostSpace> const>,
                                               HostView<float>, SumEpilogue);
extern template void sum_weighted<bfloat16, float>(HostExecutor const&,
                                                   std::span<WeightedTerm<bfloat16, HostSpace> const>,
                                                   HostView<float>, SumEpilogue);
extern template void sum_weighted<float, double>(HostExecutor const&,
                                                 std::span<WeightedTerm<float, HostSpace> const>,
                                                 HostView<double>, SumEpilogue);
extern template void sum_weighted<half, double>(HostExecutor const&,
                                                std::span<WeightedTerm<half, HostSpace> const>,
                                                HostView<double>, SumEpilogue);
extern template void sum_weighted<bfloat16, double>(HostExecutor const&,
                                                    std::span<WeightedTerm<bfloat16, HostSpace> const>,
                                                    HostView<double>, SumEpilogue);
extern template void sgd_update<float>(HostExecutor const&, HostView<float const>, HostView<float>,
                                       HostView<float const>, HostView<float>, SgdConstants,
                                       OptimizerState const*, GradientScale);
extern template void sgd_update<double>(HostExecutor const&, HostView<double const>, HostView<double>,
                                        HostView<double const>, HostView<double>, SgdConstants,
                                        OptimizerState const*, GradientScale);
extern template void adamw_update<float>(HostExecutor const&, HostView<float const>, HostView<float>,
                                         HostView<float const>, HostView<float>, HostView<float>,
                                         AdamConstants, OptimizerState const*, GradientScale);
extern template void adamw_update<double>(HostExecutor const&, HostView<double const>, HostView<double>,
                                          HostView<double const>, HostView<double>, HostView<double>,
                                          AdamConstants, OptimizerState const*, GradientScale);

}  // namespace weir::inline v1
