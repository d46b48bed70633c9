#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/accumulate.cuh"

namespace {

struct Forget {
  template <class Values>
  WEIR_HOST_DEVICE void operator()(int, Values const&) const {}
};

struct Backwards {
  std::size_t last;
  WEIR_HOST_DEVICE std::size_t operator()(int i) const { return last - static_cast<unsigned>(i); }
};

template <class Real>
struct Keep {
  Real* last;
  WEIR_HOST_DEVICE void operator()(int i, Real value) const { *(last - i) = value; }
};

/// Terms, residual and momentum in all combinations, in packs and one by one.
template <class Element, class Real, int Width>
void check(int count, bool has_residual, bool has_momentum, bool nesterov) {
  std::size_t const size = 4 * Width;
  std::vector<std::vector<Element>> values;
  weir::detail::DeviceTerms<Element, Real> terms{};
  terms.count = count;
  oracle::Numbers numbers(static_cast<std::uint64_t>(count));
  for (int term = 0; term < count; ++term) values.push_back(numbers.vector<Element>(size));
  for (int term = 0; term < count; ++term) {
    terms.terms[term] = values[static_cast<std::size_t>(term)].data();
    terms.weights[term] = static_cast<Real>(0.1 * (term + 1));
  }
  auto const residual = numbers.vector<Real>(size), momentum = numbers.vector<Real>(size);
  weir::detail::AccumulateRule<Real> rule;
  rule.factor = static_cast<Real>(0.3);
  rule.beta = static_cast<Real>(0.7);
  rule.momentum = static_cast<Real>(0.9);
  rule.nesterov = nesterov;
  std::vector<Real> out(size), next(size);
  weir::detail::DeviceAccumulate<Element, Real> const accumulate{terms,
                                                                 rule,
                                                                 has_residual ? residual.data() : nullptr,
                                                                 has_momentum ? momentum.data() : nullptr,
                                                                 next.data(),
                                                                 out.data()};
  accumulate.template run<Width, 2>(0, 2 * Width, Forget{});
  accumulate.template run<Width, 2>(Width, 2 * Width, Forget{});
  std::vector<Real> foreseen(size);
  for (std::size_t i = 1; i < size; i += 2) {
    accumulate.template preview<2>(Backwards{i}, Keep<Real>{foreseen.data() + i});
  }
  for (std::size_t i = 0; i < size; ++i) {
    Real sum = 0;
    for (int term = 0; term < count; ++term) {
      Real const value = static_cast<Real>(values[static_cast<std::size_t>(term)][i]);
      Real const product = oracle::times(value, terms.weights[term]);
      sum = term == 0 ? product : oracle::plus(sum, product);
    }
    Real u = momentum[i];
    Real expected = rule.gradient(sum);
    if (has_momentum) {
      expected = rule.with_momentum(expected, residual[i], u);
      CHECK(oracle::same(next[i], u));
    } else if (has_residual) {
      expected = rule.with_residual(expected, residual[i]);
    }
    CHECK(oracle::same(out[i], expected));
    CHECK(oracle::same(foreseen[i], expected));
  }
}

template <class Element, class Real>
void check_all() {
  for (int const count : {1, 2, 7, 64}) {
    check<Element, Real, 1>(count, false, false, false);
    check<Element, Real, weir::detail::full_width<Element>>(count, true, false, false);
    check<Element, Real, weir::detail::full_width<Element>>(count, true, true, false);
    check<Element, Real, 1>(count, true, true, true);
  }
}

}  // namespace

TEST_CASE(
    "the accumulator is what its rule makes of the sum, however it is read, and a preview writes none") {
  check_all<float, float>();
  check_all<weir::half, float>();
  check_all<weir::bfloat16, float>();
  check_all<double, double>();
}
