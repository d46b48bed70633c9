#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/fragment.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

// Operands of products by warpgroups, 4 warps each, which tensor cores of sm_90a read in shared memory. An
// operand is a row of panels; a panel is 64 lines of 64 elements of 16 bits. Either each line is a row of the
// operand, with the dimension that is summed over (k) along it, or the operand lies across: each line is one
// k, with 64 rows of the operand along it. (The rows of the right operand are the columns of the result.)

inline constexpr unsigned panel_side = 64;
inline constexpr unsigned panel_line_bytes = 128;
inline constexpr unsigned panel_bytes = panel_side * panel_line_bytes;
/// What begins a panel is a multiple of. Chunks change places by bits of the address, so that it counts.
inline constexpr unsigned panel_alignment = 1024;

/// Where a chunk, 16 bytes, of a line of a panel lies: the chunks of 8 lines in a row change places so that
/// those of one column are in different banks. It is what descriptors call a swizzle of 128 bytes.
WEIR_HOST_DEVICE constexpr unsigned panel_offset(unsigned line, unsigned chunk) {
  return line * panel_line_bytes + (chunk ^ line % 8) * 16;
}

/// The descriptor of 16 k from `k` on, of the operand whose first panel has this address in shared memory.
///
/// Bits 0 .. 13: its beginning, 16 .. 29: from 64 rows of an operand that lies across to the next 64 (no
/// meaning otherwise), 32 .. 45: from 8 lines to the next 8; all in units of 16 bytes. Bits 62 and 63: 1 for
/// the swizzle of 128 bytes.
template <bool IsAcross>
WEIR_HOST_DEVICE constexpr std::uint64_t panel_descriptor(unsigned address, unsigned k) {
  constexpr std::uint64_t next_rows = IsAcross ? panel_bytes : 16;
  constexpr std::uint64_t next_lines = 8 * panel_line_bytes;
  unsigned const begin = address + k * (IsAcross ? panel_line_bytes : 2);
  return std::uint64_t{(begin & 0x3'ffffu) >> 4} | next_rows >> 4 << 16 | next_lines >> 4 << 32 |
         std::uint64_t{1} << 62;
}

/// Which element of a result of 64 rows is register `i` of a thread of the warpgroup.
WEIR_HOST_DEVICE constexpr MatrixPlace panel_result_place(unsigned thread, unsigned i) {
  unsigned const lane = thread % 32;
  return {static_cast<int>(thread / 32 * 16 + lane / 4 + i / 2 % 2 * 8),
          static_cast<int>(i / 4 * 8 + lane % 4 * 2 + i % 2)};
}

/// What of a line is there: `count` elements from `data` on.
template <class Element>
struct PanelLine {
  Element const* data;
  std::size_t count;
};

/// How many lines of all panels one thread copies a chunk of.
template <unsigned Threads>
inline constexpr unsigned panel_lines_apart = Threads / 8;

/// Begins to copy `Panels` panels to `to`, by `Threads` threads: line `row` of panel p is what
/// `source(p, row, i)` says, where this is the i-th line of the thread, and zeros behind that. `anything` is
/// an address that can be read.
template <unsigned Panels, unsigned Threads, class Block, class Element, class Source>
WEIR_HOST_DEVICE void copy_panels(Block const& block, unsigned char* to, Element const* anything,
                                  Source const& source) {
  static_assert(sizeof(Element) == 2 && Threads % 64 == 0 && panel_side % panel_lines_apart<Threads> == 0);
  constexpr unsigned apart = panel_lines_apart<Threads>;
  constexpr unsigned of_panel = panel_side / apart;
  unsigned const chunk = block.thread() % 8;
  unsigned const line = block.thread() / 8;
  unsigned char* const own = to + panel_offset(line, chunk);  // `apart` is a multiple of 8
  unroll<static_cast<int>(Panels * of_panel)>([&](int i) {
    auto const at = static_cast<unsigned>(i);
    PanelLine<Element> const from = source(at / of_panel, line + at % of_panel * apart, at);
    std::size_t const first = chunk * std::size_t{8};
    std::size_t const left = from.count > first ? from.count - first : 0;
    unsigned const bytes = left < 8 ? static_cast<unsigned>(left) * 2 : 16;
    block.copy_async(own + at * (apart * panel_line_bytes), bytes != 0 ? from.data + first : anything, bytes);
  });
}

}  // namespace detail
}  // namespace weir::inline v1
