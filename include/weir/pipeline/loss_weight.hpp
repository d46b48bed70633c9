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

namespace detail {
/// A callable that is an object: a lambda, say.
template <class Function>
concept WeighingObject = std::is_object_v<Function> && !std::is_pointer_v<Function> &&
                         std::is_invocable_r_v<double, Function const&, WeightedMicroBatch const&>;
}  // namespace detail

/// A function of the user's by which the loss of a micro-batch is multiplied, and so the first gradient of
/// its backward: never a finished gradient, so that sums over flushes and replicas stay exact. 1 by default.
///
/// From a callable that gives a number for a `WeightedMicroBatch`. It is not copied: one with members is an
/// object with a name that outlives the pipeline; a null pointer to a function is none. Several threads may
/// call it at a time.
class LossWeight {
 public:
  constexpr LossWeight() = default;

  template <detail::WeighingObject Function>
  constexpr LossWeight(Function const& function)
      : callable_{.object = std::is_empty_v<Function> ? nullptr : static_cast<void const*>(&function)},
        call_(&call<Function>) {}
  template <detail::WeighingObject Function>
  requires(!std::is_empty_v<Function>) LossWeight(Function const&&)
  = delete;

  template <class Result, class Argument>
  requires std::is_invocable_r_v<double, Result (*)(Argument), WeightedMicroBatch const&> LossWeight(
      Result (*function)(Argument))
      : callable_{.function = reinterpret_cast<void (*)()>(function)},
        call_(function == nullptr ? nullptr : &call_function<Result, Argument>) {}

  constexpr bool is_one() const { return call_ == nullptr; }
  double operator()(WeightedMicroBatch const& micro_batch) const {
    return is_one() ? 1.0 : call_(callable_, micro_batch);
  }

 private:
  union Callable {
    void const* object;
    void (*function)();
  };

  template <class Function>
  static double call(Callable callable, WeightedMicroBatch const& micro_batch) {
    if constexpr (std::is_empty_v<Function>) {
      static_assert(std::default_initializable<Function>,
                    "a callable without members is made anew where it is called, so it needs a default "
                    "constructor, as a lambda without captures has");
      return static_cast<double>(Function{}(micro_batch));
    } else {
      return static_cast<double>((*static_cast<Function const*>(callable.object))(micro_batch));
    }
  }
  template <class Result, class Argument>
  static double call_function(Callable callable, WeightedMicroBatch const& micro_batch) {
    return static_cast<double>(reinterpret_cast<Result (*)(Argument)>(callable.function)(micro_batch));
  }

  Callable callable_ = {.object = nullptr};
  double (*call_)(Callable, WeightedMicroBatch const&) = nullptr;
};

}  // namespace weir::inline v1
