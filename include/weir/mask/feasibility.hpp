#pragma once

#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/quartic_residue.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/mask/geometry.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

enum class Verdict : std::uint8_t { exists, impossible, unknown };

constexpr char const* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::exists:
      return "exists";
    case Verdict::impossible:
      return "impossible";
    case Verdict::unknown:
      return "unknown";
  }
  return "unknown";
}

/// Whether a block design of some parameters exists, and why.
struct Feasibility {
  Verdict verdict = Verdict::unknown;
  std::string reason;
};

/// The Hilbert symbol (a, c) at a prime: 1 where z^2 = a x^2 + c y^2 has a solution other than 0 in p-adic
/// numbers, else -1. Neither a nor c is 0.
constexpr int hilbert_symbol(std::int64_t a, std::int64_t c, std::int64_t prime) {
  bool i = false;  // exponents of the prime, modulo 2
  bool j = false;
  for (; a % prime == 0; a /= prime) i = !i;
  for (; c % prime == 0; c /= prime) j = !j;
  if (prime == 2) {
    auto const e = [](std::int64_t x) { return (x & 3) == 3; };
    auto const o = [](std::int64_t x) { return (x & 7) == 3 || (x & 7) == 5; };
    bool const is_odd = (e(a) && e(c)) != ((i && o(c)) != (j && o(a)));
    return is_odd ? -1 : 1;
  }
  auto const is_square = [prime](std::int64_t x) {
    auto const residue = static_cast<std::uint64_t>((x % prime + prime) % prime);
    auto const p = static_cast<std::uint64_t>(prime);
    return power_modulo(residue, (p - 1) / 2, p) == 1;
  };
  int symbol = i && j && prime % 4 == 3 ? -1 : 1;
  if (j && !is_square(a)) symbol = -symbol;
  if (i && !is_square(c)) symbol = -symbol;
  return symbol;
}

namespace detail {

/// The first prime at which z^2 = a x^2 + c y^2 (a > 0) has no solution; 0 if it has one in whole numbers.
constexpr std::int64_t obstruction(std::int64_t a, std::int64_t c) {
  if (hilbert_symbol(a, c, 2) != 1) return 2;
  for (std::int64_t const number : {a, c}) {
    auto rest = static_cast<std::uint64_t>(number < 0 ? -number : number);
    while (rest > 1) {
      std::uint64_t const factor = smallest_factor(rest);
      while (rest % factor == 0) rest /= factor;
      if (factor != 2 && hilbert_symbol(a, c, static_cast<std::int64_t>(factor)) != 1)
        return static_cast<std::int64_t>(factor);
    }
  }
  return 0;
}

inline std::string text_of(DesignParameters const& p) {
  return "(" + std::to_string(p.v) + "," + std::to_string(p.b) + "," + std::to_string(p.r) + "," +
         std::to_string(p.k) + "," + std::to_string(p.lambda) + ")";
}

/// Why there is no such design; empty where this does not tell.
inline std::string impossibility(DesignParameters const& p) {
  auto const [v, b, r, k, lambda] = p;
  auto const number = [](std::uint64_t n) { return std::to_string(n); };
  if (b * k != v * r) return "bk = vr does not hold: " + number(b * k) + " and " + number(v * r);
  if (lambda * (v - 1) != r * (k - 1)) {
    return "lambda(v-1) = r(k-1) does not hold: " + number(lambda * (v - 1)) + " and " + number(r * (k - 1));
  }
  if (b < v) return "Fisher's inequality b >= v does not hold: " + number(b) + " and " + number(v);
  std::uint64_t const order = k - lambda;
  if (b == v && v % 2 == 0) {
    std::uint64_t const root = integer_root(order);
    if (root * root != order)
      return "a symmetric design with even v needs a square k - lambda, which is " + number(order);
  } else if (b == v) {
    auto const c = static_cast<std::int64_t>(lambda) * (v % 4 == 3 ? -1 : 1);
    std::int64_t const prime = obstruction(static_cast<std::int64_t>(order), c);
    if (prime != 0) {
      return "Bruck-Ryser-Chowla: z^2 = " + number(order) + " x^2 " + (c < 0 ? "- " : "+ ") + number(lambda) +
             " y^2 has no solution but 0 (at the prime " + std::to_string(prime) + ")";
    }
  }
  if (r == k + lambda && lambda <= 2) {
    DesignParameters const symmetric = {v + r, v + r, r, r, lambda};
    std::string const why = impossibility(symmetric);
    if (!why.empty()) {
      return "it would be the residual of the symmetric " + text_of(symmetric) +
             " (Hall-Connor), which is impossible: " + why;
    }
  }
  struct Searched {
    std::uint64_t v, k, lambda;
    char const* by;
  };
  for (Searched const& s :
       {Searched{111, 11, 1, "Lam, Thiel, Swiercz 1989"}, Searched{100, 10, 1, "Lam, Thiel, Swiercz 1989"},
        Searched{46, 6, 1, "Houghten et al. 2001"}, Searched{22, 8, 4, "Bilous et al. 2007"}}) {
    if (v == s.v && k == s.k && lambda == s.lambda)
      return std::string("excluded by an exhaustive computer search (") + s.by + ")";
  }
  return {};
}

/// The member of a family with these parameters; empty if there is none.
inline std::string basic_family_with(DesignParameters const& p) {
  for (Geometry const& g : geometries_of_shape(p.b, p.v)) {
    if (g.block_size() != p.k) continue;
    return std::string(g.name()) + " of order " + std::to_string(g.order) +
           (g.dimension == 2 ? "" : " and dimension " + std::to_string(g.dimension));
  }
  if (p.k == 3 && p.lambda == 1 && is_steiner_order(p.v))
    return "steiner-triple of " + std::to_string(p.v) + " inputs";
  if (p.b != p.v) return {};
  if (2 * p.k == p.v - 1 && is_paley_order(p.v)) return "paley of order " + std::to_string(p.v);
  std::uint64_t const q = integer_root(p.v + 1) - 1;
  if (2 * p.k == p.v - 1 && q * (q + 2) == p.v && is_twin_order(q))
    return "twin-prime of order " + std::to_string(q);
  if (is_quartic_order(p.v) && p.k == (p.v + (is_four_odd_squares_and(p.v, 9) ? 3 : 0)) / 4)
    return "quartic-residue of order " + std::to_string(p.v);
  return {};
}

/// The same with complements, derived and residual designs, at most `depth` of them.
inline std::string family_with(DesignParameters const& p, int depth, bool is_complement = false) {
  auto const [v, b, r, k, lambda] = p;
  std::string name = basic_family_with(p);
  if (!name.empty() || depth == 0) return name;
  if (r == v - 1 && lambda == k - 1) {
    name = family_with({b + 1, b + 1, v, v, k}, depth - 1);
    if (!name.empty()) return "derived of " + name;
  }
  if (r == k + lambda && b == v + r - 1) {
    name = family_with({b + 1, b + 1, r, r, lambda}, depth - 1);
    if (!name.empty()) return "residual of " + name;
  }
  if (!is_complement && v - k >= 2 && b + lambda > 2 * r) {
    name = family_with({v, b, b - r, v - k, b - 2 * r + lambda}, depth - 1, true);
    if (!name.empty()) return "complement of " + name;
  }
  return {};
}

/// A design with these parameters, or copies of one; empty if there is none here.
inline std::string known_design(DesignParameters const& p) {
  for (int depth = 0; depth <= 3; ++depth) {
    for (std::uint64_t copies = 1; copies <= p.lambda; ++copies) {
      if (p.lambda % copies != 0 || p.b % copies != 0 || p.r % copies != 0) continue;
      DesignParameters const one = {p.v, p.b / copies, p.r / copies, p.k, p.lambda / copies};
      std::string const name = family_with(one, depth);
      if (!name.empty()) return (copies == 1 ? "" : std::to_string(copies) + " copies of ") + name;
    }
  }
  return {};
}

/// With fewer outputs than inputs: whether a dual has these sides and degrees, for the end of a reason.
inline std::string dual_advice(DesignParameters const& p) {
  auto const [v, b, r, k, lambda] = p;
  if (b >= v || b * k != v * r) return {};
  DesignParameters dual = {b, v, k, r, 0};
  bool const has_lambda = r >= 2 && r < b && k * (r - 1) % (b - 1) == 0;
  if (has_lambda) dual.lambda = k * (r - 1) / (b - 1);
  if (!has_lambda || !impossibility(dual).empty()) return "; no dual has these degrees either";
  std::string const name = known_design(dual);
  if (name.empty()) return "; if there is a " + text_of(dual) + ", its dual has these degrees";
  return "; the dual of " + text_of(dual) + ", " + name + ", has these degrees";
}

}  // namespace detail

/// What is known about a balanced incomplete block design of these parameters. Of an impossible one with
/// fewer outputs than inputs the reason names the design whose dual has its shape and degrees, if there is
/// one.
///
/// Errors: ContractViolation unless 2 <= k < v and lambda >= 1, and from 2^31 on.
/// Source: [chowla1950], [hall1954].
inline Feasibility feasibility(DesignParameters const& p) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 31;
  for (std::uint64_t const number : {p.v, p.b, p.r, p.k, p.lambda}) {
    if (number == 0 || number >= limit)
      throw ContractViolation("feasibility " + detail::text_of(p) +
                              ": each from 1 to below 2^31 would be right");
  }
  if (p.k < 2 || p.k >= p.v)
    throw ContractViolation("feasibility " + detail::text_of(p) + ": 2 <= k < v would be right");
  std::string const reason = detail::impossibility(p);
  if (!reason.empty()) return {Verdict::impossible, reason + detail::dual_advice(p)};
  std::string const name = detail::known_design(p);
  if (!name.empty()) return {Verdict::exists, name};
  return {Verdict::unknown, "no family here has these parameters, and no test excludes them"};
}

}  // namespace weir::inline v1
