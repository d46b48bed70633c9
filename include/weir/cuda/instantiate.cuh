#pragma once

// The verbs of vocabulary.hpp for the elements and steps of this library, for programs that another compiler
// than nvcc compiles: one .cu with nothing but this include has all that they link. Any other element or step
// is instantiated in the same way, in a .cu of the program's own.

#include <cstdint>
#include <span>

#include "weir/cuda/vocabulary.cuh"
#include "weir/exec/clip_step.hpp"
#include "weir/exec/count_non_finite.hpp"
#include "weir/exec/local_clip_step.hpp"
#include "weir/exec/loss_scale_step.hpp"
#include "weir/exec/mark_used.hpp"
#include "weir/exec/merge_tails.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/exec/shared_rank_steps.hpp"
#include "weir/exec/step_clock.hpp"
#include "weir/exec/sum_of_squares.hpp"
#include "weir/exec/take_part.hpp"
#include "weir/exec/threshold_state.hpp"

namespace weir::inline v1 {

template void fill(CudaExecutor const&, DeviceView<half>, half);
template void set_zero(CudaExecutor const&, DeviceView<half>);
template void clear_if(CudaExecutor const&, DeviceView<half>, std::uint64_t const*);
template void fill(CudaExecutor const&, DeviceView<bfloat16>, bfloat16);
template void set_zero(CudaExecutor const&, DeviceView<bfloat16>);
template void clear_if(CudaExecutor const&, DeviceView<bfloat16>, std::uint64_t const*);
template void fill(CudaExecutor const&, DeviceView<float>, float);
template void set_zero(CudaExecutor const&, DeviceView<float>);
template void clear_if(CudaExecutor const&, DeviceView<float>, std::uint64_t const*);
template void fill(CudaExecutor const&, DeviceView<double>, double);
template void set_zero(CudaExecutor const&, DeviceView<double>);
template void clear_if(CudaExecutor const&, DeviceView<double>, std::uint64_t const*);
template void fill(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint32_t);
template void set_zero(CudaExecutor const&, DeviceView<std::uint32_t>);
template void clear_if(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint64_t const*);
template void fill(CudaExecutor const&, DeviceView<std::uint64_t>, std::uint64_t);
template void set_zero(CudaExecutor const&, DeviceView<std::uint64_t>);
template void clear_if(CudaExecutor const&, DeviceView<std::uint64_t>, std::uint64_t const*);

template void copy(CudaExecutor const&, DeviceView<half>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<half const>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<half>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<half const>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<half>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<half const>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<half>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<half const>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<bfloat16>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<bfloat16 const>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<bfloat16>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<bfloat16 const>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<bfloat16>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<bfloat16 const>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<bfloat16>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<bfloat16 const>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<float>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<float const>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<float>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<float const>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<float>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<float const>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<float>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<float const>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<double>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<double const>, DeviceView<half>);
template void copy(CudaExecutor const&, DeviceView<double>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<double const>, DeviceView<bfloat16>);
template void copy(CudaExecutor const&, DeviceView<double>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<double const>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<double>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<double const>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<std::uint32_t>);
template void copy(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<std::uint32_t>);
template void copy(CudaExecutor const&, DeviceView<std::uint64_t>, DeviceView<std::uint64_t>);
template void copy(CudaExecutor const&, DeviceView<std::uint64_t const>, DeviceView<std::uint64_t>);

template void measure(CudaExecutor const&, DeviceView<half>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<half const>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<bfloat16>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<bfloat16 const>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<float>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<float const>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<double>, Measurement*);
template void measure(CudaExecutor const&, DeviceView<double const>, Measurement*);

template void add_scaled(CudaExecutor const&, DeviceView<half>, float, DeviceView<float>);
template void add_scaled(CudaExecutor const&, DeviceView<half const>, float, DeviceView<float>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<half, DeviceSpace> const>,
                           DeviceView<float>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<bfloat16>, float, DeviceView<float>);
template void add_scaled(CudaExecutor const&, DeviceView<bfloat16 const>, float, DeviceView<float>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<bfloat16, DeviceSpace> const>,
                           DeviceView<float>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<float>, float, DeviceView<float>);
template void add_scaled(CudaExecutor const&, DeviceView<float const>, float, DeviceView<float>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<float, DeviceSpace> const>,
                           DeviceView<float>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<half>, double, DeviceView<double>);
template void add_scaled(CudaExecutor const&, DeviceView<half const>, double, DeviceView<double>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<half, DeviceSpace> const>,
                           DeviceView<double>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<bfloat16>, double, DeviceView<double>);
template void add_scaled(CudaExecutor const&, DeviceView<bfloat16 const>, double, DeviceView<double>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<bfloat16, DeviceSpace> const>,
                           DeviceView<double>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<float>, double, DeviceView<double>);
template void add_scaled(CudaExecutor const&, DeviceView<float const>, double, DeviceView<double>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<float, DeviceSpace> const>,
                           DeviceView<double>, SumEpilogue);
template void add_scaled(CudaExecutor const&, DeviceView<double>, double, DeviceView<double>);
template void add_scaled(CudaExecutor const&, DeviceView<double const>, double, DeviceView<double>);
template void sum_weighted(CudaExecutor const&, std::span<WeightedTerm<double, DeviceSpace> const>,
                           DeviceView<double>, SumEpilogue);

template void apply_scalars(CudaExecutor const&, AdvanceOptimizer);
template void apply_scalars(CudaExecutor const&, AdvanceStepClock);
template void apply_scalars(CudaExecutor const&, ClipStep);
template void apply_scalars(CudaExecutor const&, CountNonFinite);
template void apply_scalars(CudaExecutor const&, DivideTies<float>);
template void apply_scalars(CudaExecutor const&, DivideTies<double>);
template void apply_scalars(CudaExecutor const&, InitialiseLossScale);
template void apply_scalars(CudaExecutor const&, InitialiseOptimizer);
template void apply_scalars(CudaExecutor const&, InitialiseThreshold);
template void apply_scalars(CudaExecutor const&, LocalClipStep);
template void apply_scalars(CudaExecutor const&, LocalNormStep);
template void apply_scalars(CudaExecutor const&, LossScaleStep);
template void apply_scalars(CudaExecutor const&, MarkUsed);
template void apply_scalars(CudaExecutor const&, MergeTails);
template void apply_scalars(CudaExecutor const&, ResumeSharedRank<float>);
template void apply_scalars(CudaExecutor const&, ResumeSharedRank<double>);
template void apply_scalars(CudaExecutor const&, SetDensity);
template void apply_scalars(CudaExecutor const&, SetLearningRate);
template void apply_scalars(CudaExecutor const&, SetStepClock);
template void apply_scalars(CudaExecutor const&, SumOfSquares);
template void apply_scalars(CudaExecutor const&, TakePart);
template void apply_scalars(CudaExecutor const&, TellPart);

template void sgd_update(CudaExecutor const&, DeviceView<float const>, DeviceView<float>,
                         DeviceView<float const>, DeviceView<float>, SgdConstants, OptimizerState const*,
                         GradientScale);
template void adamw_update(CudaExecutor const&, DeviceView<float const>, DeviceView<float>,
                           DeviceView<float const>, DeviceView<float>, DeviceView<float>, AdamConstants,
                           OptimizerState const*, GradientScale);
template void sgd_update(CudaExecutor const&, DeviceView<double const>, DeviceView<double>,
                         DeviceView<double const>, DeviceView<double>, SgdConstants, OptimizerState const*,
                         GradientScale);
template void adamw_update(CudaExecutor const&, DeviceView<double const>, DeviceView<double>,
                           DeviceView<double const>, DeviceView<double>, DeviceView<double>, AdamConstants,
                           OptimizerState const*, GradientScale);
template void sgd_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                std::span<WeightedTerm<half, DeviceSpace> const>, DeviceView<float>,
                                SgdConstants, OptimizerState const*, GradientScale);
template void adamw_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                  std::span<WeightedTerm<half, DeviceSpace> const>, DeviceView<float>,
                                  DeviceView<float>, AdamConstants, OptimizerState const*, GradientScale);
template void sgd_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                std::span<WeightedTerm<bfloat16, DeviceSpace> const>, DeviceView<float>,
                                SgdConstants, OptimizerState const*, GradientScale);
template void adamw_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                  std::span<WeightedTerm<bfloat16, DeviceSpace> const>, DeviceView<float>,
                                  DeviceView<float>, AdamConstants, OptimizerState const*, GradientScale);
template void sgd_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                std::span<WeightedTerm<float, DeviceSpace> const>, DeviceView<float>,
                                SgdConstants, OptimizerState const*, GradientScale);
template void adamw_update_pieces(CudaExecutor const&, UpdateList<float> const&,
                                  std::span<WeightedTerm<float, DeviceSpace> const>, DeviceView<float>,
                                  DeviceView<float>, AdamConstants, OptimizerState const*, GradientScale);
template void sgd_update_pieces(CudaExecutor const&, UpdateList<double> const&,
                                std::span<WeightedTerm<double, DeviceSpace> const>, DeviceView<double>,
                                SgdConstants, OptimizerState const*, GradientScale);
template void adamw_update_pieces(CudaExecutor const&, UpdateList<double> const&,
                                  std::span<WeightedTerm<double, DeviceSpace> const>, DeviceView<double>,
                                  DeviceView<double>, AdamConstants, OptimizerState const*, GradientScale);

template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<float>,
                          std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<float>,
                          std::uint64_t const*, DeviceTwoSidedView<float>);
template void gather(CudaExecutor const&, DeviceView<float>, DeviceView<std::uint32_t>, std::uint64_t const*,
                     DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<float const>,
                          std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<float const>,
                          std::uint64_t const*, DeviceTwoSidedView<float>);
template void gather(CudaExecutor const&, DeviceView<float const>, DeviceView<std::uint32_t>,
                     std::uint64_t const*, DeviceView<float>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint64_t const*,
                      DeviceView<float>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint64_t const*,
                      DeviceTwoSidedView<float>);
template void take_at(CudaExecutor const&, DeviceTwoSidedView<float>, DeviceView<std::uint32_t>,
                      std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<float>,
                          std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<float>,
                          std::uint64_t const*, DeviceTwoSidedView<float>);
template void gather(CudaExecutor const&, DeviceView<float>, DeviceView<std::uint32_t const>,
                     std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<float const>,
                          std::uint64_t const*, DeviceView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<float const>,
                          std::uint64_t const*, DeviceTwoSidedView<float>);
template void scatter_add_finite(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<float>,
                                 std::uint64_t const*, DeviceTwoSidedView<float>);
template void scatter_add_finite(CudaExecutor const&, DeviceView<std::uint32_t const>,
                                 DeviceView<float const>, std::uint64_t const*, DeviceTwoSidedView<float>);
template void gather(CudaExecutor const&, DeviceView<float const>, DeviceView<std::uint32_t const>,
                     std::uint64_t const*, DeviceView<float>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t const>, std::uint64_t const*,
                      DeviceView<float>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t const>, std::uint64_t const*,
                      DeviceTwoSidedView<float>);
template void take_at(CudaExecutor const&, DeviceTwoSidedView<float>, DeviceView<std::uint32_t const>,
                      std::uint64_t const*, DeviceView<float>);
template void take_all(CudaExecutor const&, DeviceTwoSidedView<float>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceTwoSidedView<float>, DeviceView<float>);
template void copy(CudaExecutor const&, DeviceView<float const>, DeviceTwoSidedView<float>);
template void set_zero(CudaExecutor const&, DeviceTwoSidedView<float>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<double>,
                          std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<double>,
                          std::uint64_t const*, DeviceTwoSidedView<double>);
template void gather(CudaExecutor const&, DeviceView<double>, DeviceView<std::uint32_t>, std::uint64_t const*,
                     DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<double const>,
                          std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t>, DeviceView<double const>,
                          std::uint64_t const*, DeviceTwoSidedView<double>);
template void gather(CudaExecutor const&, DeviceView<double const>, DeviceView<std::uint32_t>,
                     std::uint64_t const*, DeviceView<double>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint64_t const*,
                      DeviceView<double>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t>, std::uint64_t const*,
                      DeviceTwoSidedView<double>);
template void take_at(CudaExecutor const&, DeviceTwoSidedView<double>, DeviceView<std::uint32_t>,
                      std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<double>,
                          std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<double>,
                          std::uint64_t const*, DeviceTwoSidedView<double>);
template void gather(CudaExecutor const&, DeviceView<double>, DeviceView<std::uint32_t const>,
                     std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<double const>,
                          std::uint64_t const*, DeviceView<double>);
template void scatter_add(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<double const>,
                          std::uint64_t const*, DeviceTwoSidedView<double>);
template void scatter_add_finite(CudaExecutor const&, DeviceView<std::uint32_t const>, DeviceView<double>,
                                 std::uint64_t const*, DeviceTwoSidedView<double>);
template void scatter_add_finite(CudaExecutor const&, DeviceView<std::uint32_t const>,
                                 DeviceView<double const>, std::uint64_t const*, DeviceTwoSidedView<double>);
template void gather(CudaExecutor const&, DeviceView<double const>, DeviceView<std::uint32_t const>,
                     std::uint64_t const*, DeviceView<double>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t const>, std::uint64_t const*,
                      DeviceView<double>);
template void zero_at(CudaExecutor const&, DeviceView<std::uint32_t const>, std::uint64_t const*,
                      DeviceTwoSidedView<double>);
template void take_at(CudaExecutor const&, DeviceTwoSidedView<double>, DeviceView<std::uint32_t const>,
                      std::uint64_t const*, DeviceView<double>);
template void take_all(CudaExecutor const&, DeviceTwoSidedView<double>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceTwoSidedView<double>, DeviceView<double>);
template void copy(CudaExecutor const&, DeviceView<double const>, DeviceTwoSidedView<double>);
template void set_zero(CudaExecutor const&, DeviceTwoSidedView<double>);

}  // namespace weir::inline v1

// Those of masked layers.
#include "weir/cuda/instantiate_masked.cuh"
