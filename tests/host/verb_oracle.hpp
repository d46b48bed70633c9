#pragma once

// What the verbs of the host backend are held against: plain loops over plain numbers, each operation rounded
// because a volatile variable takes its result. No header of the backend here.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "weir/core/half.hpp"

namespace oracle {

template <class Real>
Real rounded(Real value) {
  Real const volatile result = value;
  return result;
}
template <class Real>
Real times(Real one, Real other) {
  return rounded<Real>(one * other);
}
template <class Real>
Real plus(Real one, Real other) {
  return rounded<Real>(one + other);
}

/// Numbers that look random (SplitMix64), of many magnitudes and both signs.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }

  double number() {
    double const mantissa = static_cast<double>(bits() >> 11) * 0x1p-53 + 0.5;
    int const exponent = static_cast<int>(bits() % 24) - 16;
    return std::ldexp((bits() & 1) != 0 ? mantissa : -mantissa, exponent);
  }

  template <class Element>
  std::vector<Element> vector(std::size_t size) {
    std::vector<Element> result(size);
    for (Element& element : result) {
      if constexpr (sizeof(Element) == 2) {
        element = Element(static_cast<float>(number()));
      } else {
        element = static_cast<Element>(number());
      }
    }
    return result;
  }

 private:
  std::uint64_t state_;
};

template <class Element>
std::uint64_t bits_of(Element element) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &element, sizeof(element));
  return bits;
}

/// Equal bit for bit, but that one NaN is as good as another.
template <class Element>
bool same(Element one, Element other) {
  double const a = static_cast<double>(one);
  double const b = static_cast<double>(other);
  return bits_of(one) == bits_of(other) || (a != a && b != b);
}

template <class Element>
bool same(std::vector<Element> const& one, std::vector<Element> const& other) {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (!same(one[i], other[i])) return false;
  }
  return true;
}

template <class Element>
std::uint64_t hash(std::vector<Element> const& elements, std::uint64_t hash = 0xcbf2'9ce4'8422'2325) {
  for (Element const& element : elements) hash = (hash ^ bits_of(element)) * 0x100'0000'01b3;
  return hash;
}

template <class Real>
struct Sgd {
  Real factor, rate, momentum, weight_decay;
  bool nesterov, has_velocity;

  void operator()(Real weight, Real& out, Real gradient, Real& velocity) const {
    gradient = times(gradient, factor);
    if (weight_decay != 0) gradient = plus(times(weight_decay, weight), gradient);
    if (has_velocity) {
      velocity = plus(times(momentum, velocity), gradient);
      gradient = nesterov ? plus(times(momentum, velocity), gradient) : velocity;
    }
    out = rounded<Real>(weight - times(rate, gradient));
  }
};

template <class Real>
struct AdamW {
  Real factor, rate, beta1, beta2, rest1, rest2, correction1, correction2, epsilon, weight_decay;

  void operator()(Real weight, Real& out, Real gradient, Real& first, Real& second) const {
    gradient = times(gradient, factor);
    first = plus(times(beta1, first), times(rest1, gradient));
    second = plus(times(beta2, second), times(times(rest2, gradient), gradient));
    Real const root = rounded<Real>(std::sqrt(times(second, correction2)));
    Real const ratio = rounded<Real>(times(first, correction1) / plus(root, epsilon));
    out = rounded<Real>(weight - times(rate, plus(times(weight_decay, weight), ratio)));
  }
};

struct Measured {
  double sum_of_squares = 0;
  std::uint64_t non_finite = 0;
};

/// In the documented order: 64 lanes a leaf of 4096, folded by halving; the leaves pairwise, level by level.
template <class Element>
Measured measure(std::vector<Element> const& values) {
  Measured total;
  std::vector<double> nodes;
  for (std::size_t leaf = 0; leaf < values.size(); leaf += 4096) {
    double lane[64] = {};
    for (std::size_t i = leaf; i < values.size() && i < leaf + 4096; ++i) {
      double const value = static_cast<double>(values[i]);
      if (std::isfinite(value)) {
        lane[i % 64] = plus(lane[i % 64], times(value, value));
      } else {
        ++total.non_finite;
      }
    }
    for (std::size_t half = 32; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lane[i] = plus(lane[i], lane[i + half]);
    }
    nodes.push_back(lane[0]);
  }
  while (nodes.size() > 1) {
    std::vector<double> above;
    for (std::size_t i = 0; i < nodes.size(); i += 2) {
      above.push_back(i + 1 < nodes.size() ? plus(nodes[i], nodes[i + 1]) : nodes[i]);
    }
    nodes = above;
  }
  if (!nodes.empty()) total.sum_of_squares = nodes[0];
  return total;
}

}  // namespace oracle
