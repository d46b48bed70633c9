#include "weir/exec/weighted_term.hpp"

#include <type_traits>

using Term = weir::WeightedTerm<float, weir::DeviceSpace>;

// Kernels read terms as they lie in memory.
static_assert(std::is_trivially_copyable_v<Term> && std::is_standard_layout_v<Term>);
static_assert(Term{}.weight == 1.0);
static_assert(std::is_same_v<decltype(Term::values), weir::TensorView<float const, weir::DeviceSpace>>);
