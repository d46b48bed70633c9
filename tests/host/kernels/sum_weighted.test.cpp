#include "weir/host/kernels/sum_weighted.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Element, class Real>
void check_widths() {
  std::size_t const size = 1001;
  oracle::Numbers numbers(3);
  for (std::size_t count = 1; count < 8; ++count) {
    CAPTURE(count);
    std::vector<std::vector<Element>> inputs;
    std::vector<weir::WeightedTerm<Element, weir::HostSpace>> terms;
    for (std::size_t term = 0; term < count; ++term) inputs.push_back(numbers.vector<Element>(size));
    for (auto const& input : inputs) {
      terms.push_back({weir::view(input.data(), size), terms.empty() ? 1.0 : numbers.number()});
    }
    std::vector<Real> expected(size), out(size);
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = static_cast<Real>(inputs[0][i]);
      for (std::size_t term = 1; term < count; ++term) {
        Real const weight = static_cast<Real>(terms[term].weight);
        expected[i] = oracle::plus(expected[i], oracle::times(weight, static_cast<Real>(inputs[term][i])));
      }
    }
    with_each_width(
        0, size,
        [&] {
          out.assign(size, Real{77});
          return weir::detail::SumWeighted<Element, Real>{terms.data(), count, out.data()};
        },
        [&](char const* width) {
          CAPTURE(width);
          CHECK(oracle::same(out, expected));
        });
  }
}

template <class Element, class Real>
void check_clamp() {
  using Key = weir::MagnitudeKey<Real>;
  std::size_t const size = 1001;
  oracle::Numbers numbers(5);
  auto input = numbers.vector<Element>(size), other = numbers.vector<Element>(size);
  auto const residual = numbers.vector<Real>(size);
  input[3] = Element(std::numeric_limits<float>::quiet_NaN());
  input[700] = Element(std::numeric_limits<float>::infinity());
  input[1000] = Element(-std::numeric_limits<float>::infinity());
  weir::WeightedTerm<Element, weir::HostSpace> const terms[] = {{weir::view(input), 1.0},
                                                                {weir::view(other), 1.0}};
  for (bool adds_residual : {false, true}) {
    CAPTURE(adds_residual);
    std::vector<Real> expected(size), out(size);
    std::size_t clamped = 0;
    for (std::size_t i = 0; i < size; ++i) {
      Real sum = oracle::plus(static_cast<Real>(input[i]), static_cast<Real>(other[i]));
      if (std::isfinite(sum) && std::abs(sum) > Real(0.75)) sum = std::copysign(Real(0.75), sum), ++clamped;
      expected[i] = adds_residual ? oracle::plus(sum, residual[i]) : sum;
    }
    CHECK(clamped > 100);
    CHECK(clamped < 900);
    with_each_width(
        0, size,
        [&] {
          out.assign(size, Real{77});
          return weir::detail::SumWeighted<Element, Real>{
              terms, 2, out.data(), adds_residual ? residual.data() : nullptr, Key::of(Real(0.75))};
        },
        [&](char const* width) {
          CAPTURE(width);
          CHECK(oracle::same(out, expected));
        });
  }
}

}  // namespace

TEST_CASE("a weighted sum has the bits of a plain loop in vectors of any width, with any number of terms") {
  check_widths<float, float>();
  check_widths<double, double>();
  check_widths<float, double>();
  check_widths<weir::half, float>();
  check_widths<weir::bfloat16, float>();
  check_widths<weir::half, double>();
}

TEST_CASE("a sum is clamped before the residual is added, and what is not finite stays as it is") {
  check_clamp<float, float>();
  check_clamp<double, double>();
  check_clamp<weir::half, float>();
  check_clamp<float, double>();
}

TEST_CASE("a scaled vector is added with its product rounded") {
  oracle::Numbers numbers(4);
  auto const in = numbers.vector<float>(1001);
  std::vector<float> out(in.size());
  float const factor = 1.0f / 3;
  with_each_width(
      0, in.size(),
      [&] {
        for (std::size_t i = 0; i < in.size(); ++i) out[i] = -oracle::times(factor, in[i]);
        return weir::detail::Elementwise<weir::detail::AddScaled<float, float>>{
            {in.data(), out.data(), factor}};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(out == std::vector<float>(in.size(), 0.0f));
      });
}
