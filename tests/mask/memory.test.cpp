// What masked weights cost in memory, and their construction. This program's operator new counts bytes.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>

#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"
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
    auto const made = make();
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
    "a layer that is bound on a host holds one more copy of its tables, and nothing else of their size") {
  weir::HostExecutor const exec;
  for (std::uint32_t n : {4u, 64u}) {
    weir::BIBDLinear<weir::GroupDesign> const layer(
        weir::BIBDMask{weir::GroupDesign{{.outputs = 1024, .inputs = 1024, .group = n}}});
    Taken const bound([&] { return layer.on(exec); });
    CHECK(bound.kept <= layer.mask().design().table_bytes() + 1024);
    CHECK(layer.value_count() == layer.mask().nnz());
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
  CHECK(chosen.most <= 4 * (side / 64) * (side / 64) + (64 << 10));  // moved from form to form
  Taken const tiles(
      [&] { return weir::make_design({.outputs = side, .inputs = side, .density = 0.125, .block = 64}); });
  CHECK(tiles.most <= (64 << 10));
  Taken const plane([&] {
    return weir::make_design({.family = "projective-plane", .order = 127});  // 16257 x 16257
  });
  CHECK(plane.kept <= 4 * 128 + (64 << 10));
  CHECK(plane.most <= side * side / 64);
}
