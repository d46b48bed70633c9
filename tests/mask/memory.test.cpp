// What masked weights cost in memory, and their construction. This program's operator new counts bytes.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>

#include "weir/host/masked_product.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/mask/fixed_family.hpp"
#include "weir/mask/linear.hpp"
#include "weir/mask/make_design.hpp"

namespace {

thread_local std::size_t held = 0;  // bytes that this thread has taken and not given back
thread_local std::size_t peak = 0;

constexpr std::size_t header = 16;  // before each block: its size

void* take(std::size_t bytes) {
  void* const block = std::malloc(bytes + header);
  if (block == nullptr) throw std::bad_alloc();
  *static_cast<std::size_t*>(block) = bytes;
  held += bytes;
  if (held > peak) peak = held;
  return static_cast<char*>(block) + header;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  void* const block = static_cast<char*>(memory) - header;
  held -= *static_cast<std::size_t*>(block);  // wraps around where another thread has taken it
  std::free(block);
}

/// The bytes that what `make` returns holds, and the most that were taken meanwhile.
struct Taken {
  template <class Make>
  explicit Taken(Make const& make) {
    std::size_t const before = held;
    peak = before;
    [[maybe_unused]] auto const made = make();
    kept = held - before;
    most = peak - before;
  }
  std::size_t kept = 0;
  std::size_t most = 0;
};

}  // namespace

void* operator new(std::size_t bytes) {
  return take(bytes);
}
void* operator new[](std::size_t bytes) {
  return take(bytes);
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete[](void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  give_back(memory);
}

TEST_CASE("values and tables of an uncut mask take at most nnz (sizeof(T) + 2/n) + 64 KiB") {
  for (std::size_t side : {256u, 1024u, 4096u}) {
    for (std::uint32_t n = 2; n <= 256; n *= 2) {
      for (std::uint32_t levels : {1u, 2u, n / 2, n - 1}) {
        if (levels == 0 || levels >= n || (levels != 1 && side == 4096 && n > 64)) continue;
        CAPTURE(side);
        CAPTURE(n);
        CAPTURE(levels);
        weir::GroupOptions const options{.outputs = side, .inputs = side, .group = n, .levels = levels};
        std::size_t nnz = 0, values = 0;
        Taken const tables([&] {
          weir::GroupDesign design(options);
          nnz = design.nnz();
          values = design.value_count();
          return design;
        });
        REQUIRE(nnz == side * side / n * levels);
        CHECK(values == nnz);  // no padding; a gradient is as many sums
        CHECK(values * sizeof(float) + tables.kept <= nnz * sizeof(float) + nnz * 2 / n + (64 << 10));
        CHECK(tables.most <= tables.kept + (64 << 10));
      }
    }
  }
}

TEST_CASE(
    "a layer that is bound on a host holds its tables, and nothing else of their size, without the first") {
  weir::HostExecutor const exec;
  for (std::uint32_t n : {4u, 64u}) {
    std::size_t tables = 0, values = 0, nnz = 0;
    auto const bind = [&] {
      weir::BIBDLinear<weir::GroupDesign> const layer(
          weir::BIBDMask{weir::GroupDesign{{.outputs = 1024, .inputs = 1024, .group = n}}});
      tables = layer.mask().design().table_bytes();
      values = layer.value_count();
      nnz = layer.mask().nnz();
      return layer.on(exec);
    };
    Taken const bound(bind);
    CHECK(bound.kept <= tables + 1024);
    CHECK(values == nnz);
  }
}

TEST_CASE("the construction of a large mask takes its tables, nothing of outputs x inputs") {
  constexpr std::size_t side = 16384;
  for (std::uint32_t n : {4u, 16u, 128u}) {
    Taken const group([&] { return weir::GroupDesign{{.outputs = side, .inputs = side, .group = n}}; });
    CHECK(group.most <= 2 * (side / n) * (side / n) + (64 << 10));
  }
  Taken const chosen(
      [&] { return weir::make_design({.outputs = side, .inputs = side, .density = 1.0 / 64}); });
  CHECK(chosen.kept <= 2 * (side / 64) * (side / 64) + (64 << 10));
  CHECK(chosen.most <= 2 * (side / 64) * (side / 64) + (64 << 10));
  Taken const dense([&] { return weir::make_design({.outputs = side, .inputs = side, .density = 0.25}); });
  CHECK(dense.most <= 2 * (side / 4) * (side / 4) + (64 << 10));
  Taken const tiles(
      [&] { return weir::make_design({.outputs = side, .inputs = side, .density = 0.125, .block = 64}); });
  CHECK(tiles.most <= (64 << 10));
}

TEST_CASE("a cyclic design takes at most 4k bytes and 1 KiB, its copies and its complement too") {
  struct {
    char const* family;
    weir::FamilyParameters given;
    std::size_t v;
  } const members[] = {{"projective-plane", {127}, 16257},
                       {"projective-plane", {16}, 273},
                       {"projective-geometry", {2, 9}, 1023},
                       {"quartic-residue", {16901}, 16901},
                       {"paley", {4099}, 4099},
                       {"twin-prime", {71}, 5183}};
  for (auto const& member : members) {
    for (char const* prefix : {"", "complement-of:"}) {
      for (std::uint64_t seed : {0u, 3u}) {
        CAPTURE(member.family);
        CAPTURE(prefix);
        CAPTURE(seed);
        std::string const family = std::string(prefix) + member.family;
        std::size_t k = 0, values = 0, reported = 0;
        Taken const taken([&] {
          weir::FixedDesign made = weir::make_fixed_design(family, member.given, seed);
          k = made.parameters.k;
          values = made.design.value_count();
          reported = made.design.table_bytes();
          return made;
        });
        CHECK(values == k * member.v);
        CHECK(reported <= 4 * k + 1024);
        CHECK(taken.kept <= 4 * k + 1024);
        CHECK(taken.most <= 32 * member.v + 1024);
      }
    }
  }
}

TEST_CASE("designs with a formula that are not cyclic need 4k bytes or none") {
  Taken const field([] { return weir::PaleyDesign(2187); });
  CHECK(field.kept <= 4 * 1093);
  CHECK(weir::PaleyDesign(2187).table_bytes() == 4 * 1093);
  CHECK(weir::TwinPrimeDesign(47).table_bytes() == 4 * ((47 * 49 - 1) / 2));
  Taken const affine([] { return weir::AffineGeometry(64); });
  CHECK(affine.kept == 0);
  Taken const triples([] { return weir::SteinerTripleSystem(1023); });
  CHECK(triples.kept == 0);
}
