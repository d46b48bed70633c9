#include "weir/stage/form.hpp"

#include <type_traits>

#include "weir/host/executor.hpp"

using E = weir::HostExecutor;

// Forms are copied from stage to stage on every step.
static_assert(std::is_copy_constructible_v<weir::WorkerGradient<E>>);
static_assert(std::is_copy_constructible_v<weir::DenseGradient<E, double>>);
static_assert(std::is_copy_constructible_v<weir::SparseGradient<E, double>>);
static_assert(std::is_trivially_copyable_v<weir::PendingSum<E>>);
// Without a scale of its own a gradient is taken as it is.
static_assert(weir::GradientScale{}.value == 1.0 && weir::GradientScale{}.control == nullptr);
static_assert(weir::WorkerShare<E>{}.weight == 1.0);
