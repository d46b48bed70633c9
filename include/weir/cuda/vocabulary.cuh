#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "weir/cuda/kernels/adamw_update.cuh"
#include "weir/cuda/kernels/apply_scalars.cuh"
#include "weir/cuda/kernels/convert.cuh"
#include "weir/cuda/kernels/fill.cuh"
#include "weir/cuda/kernels/leaf_kernel.cuh"
#include "weir/cuda/kernels/measure.cuh"
#include "weir/cuda/kernels/partition.cuh"
#include "weir/cuda/kernels/sgd_update.cuh"
#include "weir/cuda/kernels/sum_weighted.cuh"
#include "weir/cuda/kernels/tail.cuh"
#include "weir/cuda/kernels/tile.cuh"
#include "weir/cuda/masked_product.cuh"
#include "weir/cuda/sparsify.cuh"
#include "weir/cuda/vocabulary.hpp"
#include "weir/exec/arguments.hpp"

// What vocabulary.hpp declares.

namespace weir::inline v1 {
namespace detail {

/// An operation that is written for packs of several elements and of one, with arrays that are known to have
/// a common alignment or not.
template <class Operation>
void launch_aligned(CudaExecutor const& executor, Operation const& operation, std::size_t size,
                    CommonAlignment const& alignment, char const* what) {
  if (alignment.exists()) {
    auto const partition = Partition::of(size, Operation::width, alignment.head());
    launch_tiles<Operation::width>(executor, operation, partition, what);
  } else {
    launch_tiles<1>(executor, operation, Partition::of(size, 1, 0), what);
  }
}

/// Leaves begin with the first element, so there is no head.
inline bool has_no_head(CommonAlignment const& alignment) {
  return alignment.exists() && alignment.head() == 0;
}

/// One launch of `sum_weighted`.
template <class Element, class Real>
struct SumLaunch {
  CudaExecutor const& executor;
  std::span<WeightedTerm<Element, DeviceSpace> const> terms;
  TensorView<Real, DeviceSpace> out;
  SumEpilogue epilogue;
  bool adds;

  static constexpr char const* what = "launch of sum_weighted";

  void operator()() const {
    CommonAlignment alignment(terms[0].values.data());
    for (auto const& term : terms) alignment.include(term.values.data());
    alignment.include(out.data());
    alignment.include(residual());
    bool const is_aligned = has_epilogue() ? has_no_head(alignment) : alignment.exists();
    if (!is_aligned) return run<1>(long_sum(), alignment);
    // Sums of narrower numbers in double are rare, and not worth kernels of their own.
    if constexpr (std::is_same_v<Element, Real> || sizeof(Real) == sizeof(float)) {
      bool const is_plain = residual() == nullptr && epilogue.tail == nullptr && epilogue.clamp.is_empty();
      if (is_plain && !adds && terms.size() <= most_unrolled_terms) {
        return unrolled(alignment, std::make_integer_sequence<int, most_unrolled_terms>());
      }
    }
    run<full_width<Element>>(long_sum(), alignment);
  }

 private:
  template <int... Index>
  void unrolled(CommonAlignment const& alignment, std::integer_sequence<int, Index...>) const {
    ((terms.size() == Index + 1 ? run<full_width<Element>>(sum<Index + 1>(), alignment) : void()), ...);
  }

  template <int Count>
  DeviceSum<Element, Real, Count> sum() const {
    DeviceSum<Element, Real, Count> sum{};
    sum.out = out.data();
    take_terms(sum);
    return sum;
  }

  DeviceLongSum<Element, Real> long_sum() const {
    DeviceLongSum<Element, Real> sum{};
    sum.out = out.data();
    sum.count = static_cast<int>(terms.size());
    sum.adds = adds;
    sum.residual = residual();
    sum.clamp = epilogue.clamp;
    take_terms(sum);
    return sum;
  }

  template <class Sum>
  void take_terms(Sum& sum) const {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      sum.terms[i] = terms[i].values.data();
      sum.weights[i] = static_cast<Real>(terms[i].weight);
    }
  }

  Real const* residual() const { return static_cast<Real const*>(epilogue.residual); }
  bool has_epilogue() const { return epilogue.measurement != nullptr || epilogue.tail != nullptr; }

  template <int Width, class Sum>
  void run(Sum const& sum, CommonAlignment const& alignment) const {
    if constexpr (std::is_same_v<Sum, DeviceLongSum<Element, Real>>) {
      if (epilogue.tail != nullptr) {
        return launch_leaves<tail_width<Width>, SquareTailLane<Real>>(
            executor, sum, out.size(), StoreTail{epilogue.tail, epilogue.measurement}, what);
      }
    }
    if (epilogue.measurement != nullptr) {
      launch_leaves<Width, SquareLane>(executor, sum, out.size(), StoreMeasurement{epilogue.measurement},
                                       what);
    } else {
      launch_tiles<Width>(executor, sum, Partition::of(out.size(), Width, Width > 1 ? alignment.head() : 0),
                          what);
    }
  }
};

template <std::size_t bytes>
using FillWord = std::conditional_t<bytes == 2, std::uint16_t,
                                    std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>;

template <class Element>
void fill_if(CudaExecutor const& executor, TensorView<Element, DeviceSpace> out, Element const& value,
             std::uint64_t const* condition, char const* what) {
  using Word = FillWord<sizeof(Element)>;
  if (out.empty()) return;
  Word* const words = reinterpret_cast<Word*>(out.data());
  DeviceFill<Word> const operation{words, __builtin_bit_cast(Word, value), condition};
  launch_aligned(executor, operation, out.size(), CommonAlignment(words), what);
}

}  // namespace detail

template <class Element>
void fill(CudaExecutor const& executor, DeviceView<Element> out, std::type_identity_t<Element> value) {
  detail::fill_if(executor, out, value, nullptr, "launch of fill");
}

template <class Element>
void set_zero(CudaExecutor const& executor, DeviceView<Element> out) {
  if (out.empty()) return;
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  check_cuda(cudaMemsetAsync(out.data(), 0, out.size() * sizeof(Element), stream), "cudaMemsetAsync");
}

template <class Element>
void clear_if(CudaExecutor const& executor, DeviceView<Element> out, std::uint64_t const* condition) {
  detail::Arguments("clear_if").not_null("condition", condition);
  detail::fill_if(executor, out, Element{}, condition, "launch of clear_if");
}

template <class From, class To>
requires CopyableElement<From, To>
void copy(CudaExecutor const& executor, DeviceView<From> in, DeviceView<To> out) {
  using Source = std::remove_const_t<From>;
  detail::Arguments const arguments("copy");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  if (out.empty()) return;
  if constexpr (std::is_same_v<Source, To>) {
    if (in.data() == out.data()) return;
    cudaStream_t const stream = executor.stream();
    DeviceGuard const guard(executor.device());
    check_cuda(
        cudaMemcpyAsync(out.data(), in.data(), out.size() * sizeof(To), cudaMemcpyDeviceToDevice, stream),
        "cudaMemcpyAsync");
  } else {
    detail::CommonAlignment alignment = [&] {
      if constexpr (sizeof(Source) < sizeof(To)) {
        return detail::CommonAlignment(in.data());
      } else {
        return detail::CommonAlignment(out.data());
      }
    }();
    alignment.include(in.data());
    alignment.include(out.data());
    detail::launch_aligned(executor, detail::DeviceConvert<Source, To>{in.data(), out.data()}, out.size(),
                           alignment, "launch of copy");
  }
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void add_scaled(CudaExecutor const& executor, DeviceView<Element> in, std::type_identity_t<Real> factor,
                DeviceView<Real> out) {
  using Source = std::remove_const_t<Element>;
  detail::Arguments const arguments("add_scaled");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  if (out.empty()) return;
  detail::CommonAlignment alignment(in.data());
  alignment.include(out.data());
  detail::launch_aligned(executor,
                         detail::DeviceSum<Source, Real, 1, true>{out.data(), {in.data()}, {factor}},
                         out.size(), alignment, "launch of add_scaled");
}

template <class Element>
requires ArithmeticElement<std::remove_const_t<Element>>
void measure(CudaExecutor const& executor, DeviceView<Element> in, Measurement* out) {
  detail::Arguments("measure").not_null("out", out);
  using Read = detail::DeviceRead<std::remove_const_t<Element>>;
  Read const read{in.data()};
  detail::StoreMeasurement const finish{out};
  if (detail::has_no_head(detail::CommonAlignment(in.data()))) {
    detail::launch_leaves<Read::width, detail::SquareLane>(executor, read, in.size(), finish,
                                                           "launch of measure");
  } else {
    detail::launch_leaves<1, detail::SquareLane>(executor, read, in.size(), finish, "launch of measure");
  }
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_weighted(CudaExecutor const& executor, std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                  DeviceView<Real> out, SumEpilogue epilogue) {
  detail::Arguments const arguments("sum_weighted");
  if (terms.empty()) arguments.refuse("there are no terms, at least one is needed");
  for (auto const& term : terms) {
    arguments.same_size("a term", term.values.size(), "out", out.size());
    arguments.same_or_apart("out", out, "a term", term.values);
  }
  DeviceView<Real const> const residual(static_cast<Real const*>(epilogue.residual),
                                        epilogue.residual == nullptr ? 0 : out.size());
  arguments.same_or_apart("out", out, "the residual", residual);
  if (out.empty() && epilogue.measurement == nullptr && epilogue.tail == nullptr) return;
  // A pass that is not the last leaves a part of the sum in `out`.
  std::size_t done = terms.size() < detail::most_terms ? terms.size() : detail::most_terms;
  auto const is_read_later = [&](auto view) {
    return static_cast<void const*>(view.data()) == out.data() && !out.empty();
  };
  for (auto const& term : terms.subspan(done)) {
    if (is_read_later(term.values)) {
      arguments.refuse("out is one of the terms after the first " + std::to_string(detail::most_terms) +
                       ", it must be one of those or none");
    }
  }
  if (done < terms.size() && is_read_later(residual)) {
    arguments.refuse("out is the residual of a sum of more than " + std::to_string(detail::most_terms) +
                     " terms, the residual must be apart then");
  }
  using Launch = detail::SumLaunch<Element, Real>;
  SumEpilogue const nothing;
  Launch{executor, terms.first(done), out, done == terms.size() ? epilogue : nothing, false}();
  while (done < terms.size()) {
    std::size_t const rest = terms.size() - done;
    std::size_t const count = rest < detail::most_terms ? rest : detail::most_terms;
    done += count;
    Launch{executor, terms.subspan(done - count, count), out, done == terms.size() ? epilogue : nothing,
           true}();
  }
}

template <std::invocable Step>
void apply_scalars(CudaExecutor const& executor, Step step) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  detail::scalar_kernel<<<1, 1, 0, stream>>>(step);
  check_cuda(cudaPeekAtLastError(), "launch of apply_scalars");
}

}  // namespace weir::inline v1
