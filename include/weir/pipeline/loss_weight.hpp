#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir::inline v1 {

/// A micro-batch, as far as its weight may depend on it.
struct WeightedMicroBatch {
  std::uint64_t step = 0;        // the update that it goes into
  std::size_t global_index = 0;  // u, among those of all replicas
  std::size_t samples = 0;
  std::size_t local_batch = 1;  // samples of a full one
};

/// A function of the user's by which the loss of a micro-batch is multiplied, and so the first gradient of
/// its backward: never a finished gradient, so that sums over flushes and replicas stay exact. 1 by default.
///
/// From a callable that gives a number for a `WeightedMicroBatch`. It is not copied: one with members is an
/// object with a name that outlives the pipeline. Several threads may call it at a time.
class LossWeight {
 public:
  constexpr LossWeight() = default;

  template <class Function>
  requires std::is_invocable_r_v<double, Function const&, WeightedMicroBatch const&>
  constexpr LossWeight(Function const& function)
      : function_(std::is_empty_v<Function> ? nullptr : static_cast<void const*>(&function)),
        call_(&call<Function>) {}
  template <class Function>
  requires(std::is_invocable_r_v<double, Function const&, WeightedMicroBatch const&> &&
           !std::is_empty_v<Function>) LossWeight(Function const&&)
  = delete;

  constexpr bool is_one() const { return call_ == nullptr; }
  double operator()(WeightedMicroBatch const& micro_batch) const {
    return is_one() ? 1.0 : call_(function_, micro_batch);
  }

 private:
  template <class Function>
  static double call(void const* function, WeightedMicroBatch const& micro_batch) {
    if constexpr (std::is_empty_v<Function>) {
      static_assert(std::default_initializable<Function>,
                    "a callable without members is made anew where it is called, so it needs a default "
                    "constructor, as a lambda without captures has");
      return static_cast<double>(Function{}(micro_batch));
    } else {
      return static_cast<double>((*static_cast<Function const*>(function))(micro_batch));
    }
  }

  void const* function_ = nullptr;
  double (*call_)(void const*, WeightedMicroBatch const&) = nullptr;
};

}  // namespace weir::inline v1
