#include "weir/mask/galois_field.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"

namespace {

using weir::GaloisField;

static_assert(GaloisField(4).modulus() == 7);
static_assert(GaloisField(4).multiply(2, 3) == 1);
static_assert(GaloisField(9).modulus() == 14);
static_assert(GaloisField(7).generator() == 3);

/// Multiplication is the only operation that arithmetic modulo q gets wrong everywhere q is not a prime.
struct IntegersModulo {
  std::uint32_t modulus;
  std::uint32_t order() const { return modulus; }
  std::uint32_t add(std::uint32_t a, std::uint32_t b) const { return (a + b) % modulus; }
  std::uint32_t multiply(std::uint32_t a, std::uint32_t b) const { return a * b % modulus; }
};

template <class Field>
bool has_inverses(Field const& field) {
  for (std::uint32_t a = 1; a < field.order(); ++a) {
    bool found = false;
    for (std::uint32_t b = 1; b < field.order(); ++b) found = found || field.multiply(a, b) == 1;
    if (!found) return false;
  }
  return true;
}

template <class Field>
bool keeps_the_laws(Field const& f) {
  std::uint32_t const q = f.order();
  std::vector<std::uint32_t> sums(q * q), products(q * q);
  for (std::uint32_t a = 0; a < q; ++a) {
    for (std::uint32_t b = 0; b < q; ++b) {
      sums[a * q + b] = f.add(a, b);
      products[a * q + b] = f.multiply(a, b);
      if (sums[a * q + b] >= q || products[a * q + b] >= q) return false;
    }
  }
  for (std::uint32_t a = 0; a < q; ++a) {
    if (sums[a] != a || products[a] != 0 || products[q + a] != a) return false;
    for (std::uint32_t b = 0; b < q; ++b) {
      if (sums[a * q + b] != sums[b * q + a] || products[a * q + b] != products[b * q + a]) return false;
      for (std::uint32_t c = 0; c < q; ++c) {
        if (sums[sums[a * q + b] * q + c] != sums[a * q + sums[b * q + c]]) return false;
        if (products[products[a * q + b] * q + c] != products[a * q + products[b * q + c]]) return false;
        if (products[a * q + sums[b * q + c]] != sums[products[a * q + b] * q + products[a * q + c]])
          return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE("GaloisField: the field axioms hold for every order up to 64") {
  for (std::uint32_t q = 2; q <= 64; ++q) {
    if (!weir::prime_power(q)) continue;
    CAPTURE(q);
    GaloisField const field(q);
    CHECK(keeps_the_laws(field));
    CHECK(has_inverses(field));
    std::uint32_t power = 1;
    std::vector<bool> seen(q);
    for (std::uint32_t i = 1; i < q; ++i) {
      CHECK(!seen[power]);
      seen[power] = true;
      power = field.multiply(power, field.generator());
      CHECK(field.multiply(i, field.inverse(i)) == 1);
      CHECK(field.subtract(field.add(i, power), power) == i);
    }
  }
}

TEST_CASE("GaloisField: arithmetic modulo 4 is no field") {
  CHECK(keeps_the_laws(IntegersModulo{4}));
  CHECK_FALSE(has_inverses(IntegersModulo{4}));
}

TEST_CASE("GaloisField: the moduli are the smallest primitive polynomials") {
  std::uint64_t const of_two[] = {0x7,   0xb,   0x13,   0x25,   0x43,   0x83,   0x11d,  0x211,
                                  0x409, 0x805, 0x1053, 0x201b, 0x402b, 0x8003, 0x1002d};
  for (std::uint32_t m = 2; m <= 16; ++m) {
    CAPTURE(m);
    CHECK(GaloisField(1u << m).modulus() == of_two[m - 2]);
  }
  std::pair<std::uint32_t, std::uint64_t> const others[] = {{9, 14},    {25, 32},   {27, 34},   {49, 59},
                                                            {81, 86},   {121, 139}, {125, 142}, {169, 184},
                                                            {243, 250}, {289, 309}, {343, 366}};
  for (auto const& other : others) {
    CAPTURE(other.first);
    CHECK(GaloisField(other.first).modulus() == other.second);
  }
  std::pair<std::uint32_t, std::uint32_t> const roots[] = {{3, 2},  {5, 2},  {7, 3},  {11, 2},
                                                           {13, 2}, {17, 3}, {19, 2}, {23, 5},
                                                           {29, 2}, {31, 3}, {37, 2}, {41, 6}};
  for (auto const& root : roots) {
    CAPTURE(root.first);
    CHECK(GaloisField(root.first).generator() == root.second);
  }
}

TEST_CASE("GaloisField: an order that is no prime power is refused with the nearest that are") {
  CHECK_THROWS_WITH_AS(GaloisField(6), "order 6: not a prime power (nearest: 5, 7)", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GaloisField(1), "order 1: not a prime power (nearest: 2)", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GaloisField(0), "order 0: not a prime power (nearest: 2)", weir::ContractViolation);
}
