#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/core/host_device.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/find_slot.hpp"

namespace weir::inline v1 {

/// The numbers of a group design. Units: positions of the mask.
struct GroupShape {
  std::size_t outputs = 0;
  std::size_t inputs = 0;
  std::uint32_t group = 1;        ///< n, a power of `prime`; 1: every position is live
  std::uint32_t prime = 2;        ///< p, whose digits are added; 2: added is XOR
  std::uint32_t classes = 0;      ///< t = ceil(outputs / n)
  std::uint32_t groups = 0;       ///< s = ceil(inputs / n)
  std::uint32_t levels = 1;       ///< m, live diagonals of each n x n cell
  std::uint32_t first_level = 0;  ///< n - m where the cells are complements of n - m diagonals
  std::uint64_t seed = 0;         ///< of the levels
};

/// How a group design lies in memory, which primitives and kernels share. A mask of outputs x inputs is cut
/// into classes x groups cells of n x n; row (a, y) and column (c, z) are a*n + y and c*n + z. Cell (a, c)
/// holds m diagonals: level l is the entries z = y + offset(a, c, l), where digits are added modulo p. The
/// last class and the last group may be cut off; their missing entries are padding among the values.
///
/// Cost: an entry in O(1); at the cut edge O(m). Tables: 2 bytes per cell, and up to 1,022 for levels.
class GroupLayout {
 public:
  GroupShape shape = {};
  std::uint16_t const* cells = nullptr;  ///< t x s, see `cell`; null where n is 1
  /// q-1 powers of x in GF(q), then q logarithms, where q is `field()`; null: level l is offset + l.
  std::uint16_t const* powers = nullptr;

  /// Where the diagonals of a cell begin, and which ones they are.
  struct Cell {
    std::uint32_t offset;
    std::uint32_t key;  ///< level l > 0 is offset + x^(key + l - 1); n > 256: three such keys, see `offset`
  };

  WEIR_HOST_DEVICE constexpr Cell cell(std::uint32_t a, std::uint32_t c) const {
    if (cells == nullptr) return {0, 0};
    std::uint32_t const word = cells[std::size_t{a} * shape.groups + c];
    if (powers == nullptr) return {word, 0};
    if (shape.group <= 256) return {word & 255u, word >> 8};
    return {word, drawn_key(shape, a, c)};
  }

  /// The diagonal of a level, 0 .. m-1.
  WEIR_HOST_DEVICE constexpr std::uint32_t offset(Cell const& cell, std::uint32_t level) const {
    level += shape.first_level;
    if (level == 0) return cell.offset;
    if (powers == nullptr) return add(cell.offset, level);
    std::uint32_t const low = power(cell.key & 255u, level & 255u);
    if (shape.group <= 256) return cell.offset ^ low;
    std::uint32_t const high = (level ^ power(cell.key >> 8 & 255u, low) << 8) & high_bits();
    return cell.offset ^ high ^ low ^ power(cell.key >> 16, high >> 8);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t offset(std::uint32_t a, std::uint32_t c,
                                                  std::uint32_t level) const {
    return offset(cell(a, c), level);
  }

  /// Sum and difference in the group.
  WEIR_HOST_DEVICE constexpr std::uint32_t add(std::uint32_t y, std::uint32_t offset) const {
    if (shape.prime == 2) return y ^ offset;
    std::uint32_t sum = 0;
    for (std::uint32_t digit = 1; digit < shape.group; digit *= shape.prime) {
      sum += (y / digit + offset / digit) % shape.prime * digit;
    }
    return sum;
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t subtract(std::uint32_t z, std::uint32_t offset) const {
    if (shape.prime == 2) return z ^ offset;
    std::uint32_t sum = 0;
    for (std::uint32_t digit = 1; digit < shape.group; digit *= shape.prime) {
      sum += (z / digit % shape.prime + shape.prime - offset / digit % shape.prime) % shape.prime * digit;
    }
    return sum;
  }

  /// Columns of a group, rows of a class: n, or less at the edge.
  WEIR_HOST_DEVICE constexpr std::uint32_t width(std::uint32_t c) const { return extent(shape.inputs, c); }
  WEIR_HOST_DEVICE constexpr std::uint32_t height(std::uint32_t a) const { return extent(shape.outputs, a); }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return shape.inputs; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return shape.outputs; }

  /// Live entries. Cost: O(groups + classes) where both edges are cut, else O(1).
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const {
    std::size_t const n = shape.group;
    std::size_t const whole_rows = shape.outputs / n * n;
    std::size_t count = whole_rows * (shape.inputs / n) * shape.levels;
    std::size_t const cut_rows = shape.outputs - whole_rows;
    std::size_t const cut_columns = shape.inputs % n;
    count += cut_rows * (shape.inputs / n) * shape.levels;
    count += cut_columns * (shape.outputs / n) * shape.levels;
    if (cut_rows == 0 || cut_columns == 0) return count;
    std::uint32_t const a = shape.classes - 1;
    std::uint32_t const c = shape.groups - 1;
    for (std::uint32_t y = 0; y < cut_rows; ++y) count += cut_row_entries(cell(a, c), y, width(c));
    return count;
  }

  /// Values that are stored, padding included.
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const {
    return std::size_t{shape.classes} * shape.groups * shape.levels * shape.group;
  }

  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::uint32_t a, std::uint32_t c, std::uint32_t level,
                                                     std::uint32_t y) const {
    return ((std::size_t{a} * shape.groups + c) * shape.levels + level) * shape.group + y;
  }

  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t row) const {
    std::size_t const whole = shape.inputs / shape.group * shape.levels;
    if (shape.inputs % shape.group == 0) return whole;
    std::uint32_t const c = shape.groups - 1;
    return whole + cut_row_entries(cell(quotient(row), c), rest(row), width(c));
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t column) const {
    std::size_t const whole = shape.outputs / shape.group * shape.levels;
    if (shape.outputs % shape.group == 0) return whole;
    std::uint32_t const a = shape.classes - 1;
    return whole + cut_column_entries(cell(a, quotient(column)), rest(column), height(a));
  }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    std::uint32_t const c = static_cast<std::uint32_t>(slot / shape.levels);
    Cell const here = cell(quotient(row), c);
    std::uint32_t const z = add(rest(row), offset(here, row_level(here, rest(row), slot)));
    return std::size_t{c} * shape.group + z;
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    std::uint32_t const a = static_cast<std::uint32_t>(slot / shape.levels);
    Cell const here = cell(a, quotient(column));
    std::uint32_t const y = subtract(rest(column), offset(here, column_level(here, rest(column), slot)));
    return std::size_t{a} * shape.group + y;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    std::uint32_t const c = static_cast<std::uint32_t>(slot / shape.levels);
    Cell const here = cell(quotient(row), c);
    return value_index(quotient(row), c, row_level(here, rest(row), slot), rest(row));
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    std::uint32_t const a = static_cast<std::uint32_t>(slot / shape.levels);
    std::uint32_t const c = quotient(column);
    Cell const here = cell(a, c);
    std::uint32_t const level = column_level(here, rest(column), slot);
    return value_index(a, c, level, subtract(rest(column), offset(here, level)));
  }

  /// The slot of a column in a row, `no_slot` where the entry is not live.
  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    std::uint32_t const c = quotient(column);
    Cell const here = cell(quotient(row), c);
    std::uint32_t const level = level_of(here, subtract(rest(column), rest(row)));
    if (level == dead) return no_slot;
    std::size_t slot = std::size_t{c} * shape.levels;
    if (width(c) == shape.group) return slot + level;
    for (std::uint32_t l = 0; l < level; ++l) slot += add(rest(row), offset(here, l)) < width(c) ? 1 : 0;
    return slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    std::uint32_t const a = quotient(row);
    Cell const here = cell(a, quotient(column));
    std::uint32_t const level = level_of(here, subtract(rest(column), rest(row)));
    if (level == dead) return no_slot;
    std::size_t slot = std::size_t{a} * shape.levels;
    if (height(a) == shape.group) return slot + level;
    for (std::uint32_t l = 0; l < level; ++l) {
      slot += subtract(rest(column), offset(here, l)) < height(a) ? 1 : 0;
    }
    return slot;
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    Cell const here = cell(quotient(row), quotient(column));
    return level_of(here, subtract(rest(column), rest(row))) != dead;
  }

  /// Of both tables.
  constexpr std::size_t table_bytes() const { return 2 * (cell_words() + power_words()); }
  /// Copies the tables to `out`, which holds `table_bytes()`.
  void write_tables(void* out) const {
    if (cell_words() != 0) std::memcpy(out, cells, 2 * cell_words());
    if (power_words() != 0)
      std::memcpy(static_cast<std::uint16_t*>(out) + cell_words(), powers, 2 * power_words());
  }
  /// The same layout with its tables at `tables`, where such a copy lies: in the memory of a device, say.
  GroupLayout with_tables(void const* tables) const {
    auto const* const words = static_cast<std::uint16_t const*>(tables);
    return {shape, cells == nullptr ? nullptr : words, powers == nullptr ? nullptr : words + cell_words()};
  }

  /// Elements of the field whose powers draw levels: tables stay small where n is large.
  WEIR_HOST_DEVICE static constexpr std::uint32_t field(GroupShape const& shape) {
    return shape.group < 256 ? shape.group : 256;
  }
  /// The key of a cell: 0 .. q-2, where n > 256 three of them, each in a byte.
  WEIR_HOST_DEVICE static constexpr std::uint32_t drawn_key(GroupShape const& shape, std::uint32_t a,
                                                            std::uint32_t c) {
    auto const words = philox({{a, c, 0x6c65'7665, 0}}, shape.seed);
    std::uint64_t const period = field(shape) - 1;
    auto const key = static_cast<std::uint32_t>(words[0] * period >> 32);
    if (shape.group <= 256) return key;
    return key | static_cast<std::uint32_t>(words[1] * period >> 32) << 8 |
           static_cast<std::uint32_t>(words[2] * period >> 32) << 16;
  }

 private:
  static constexpr std::uint32_t dead = static_cast<std::uint32_t>(-1);

  constexpr std::size_t cell_words() const {
    return cells == nullptr ? 0 : std::size_t{shape.classes} * shape.groups;
  }
  constexpr std::size_t power_words() const {
    return powers == nullptr ? 0 : 2 * std::size_t{field(shape)} - 1;
  }

  WEIR_HOST_DEVICE constexpr std::uint32_t quotient(std::size_t position) const {
    return static_cast<std::uint32_t>(position / shape.group);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t rest(std::size_t position) const {
    return static_cast<std::uint32_t>(position % shape.group);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t extent(std::size_t whole, std::uint32_t part) const {
    std::size_t const left = whole - std::size_t{part} * shape.group;
    return left < shape.group ? static_cast<std::uint32_t>(left) : shape.group;
  }
  /// x has q-1 powers.
  WEIR_HOST_DEVICE constexpr std::uint32_t turned(std::uint32_t exponent) const {
    std::uint32_t const period = field(shape) - 1;
    return exponent < period ? exponent : exponent - period;
  }
  /// A permutation of the elements of GF(q) that leaves 0 where it is.
  WEIR_HOST_DEVICE constexpr std::uint32_t power(std::uint32_t key, std::uint32_t element) const {
    return element == 0 ? 0 : powers[turned(key + element - 1)];
  }
  /// Of a number below n: those above its lowest byte.
  WEIR_HOST_DEVICE constexpr std::uint32_t high_bits() const { return (shape.group - 1) & ~255u; }

  /// Undoes `offset`.
  WEIR_HOST_DEVICE constexpr std::uint32_t level_of(Cell const& cell, std::uint32_t diagonal) const {
    std::uint32_t level = subtract(diagonal, cell.offset);
    if (powers != nullptr) {
      std::uint32_t high = level & high_bits();
      if (high != 0) level ^= power(cell.key >> 16, high >> 8);
      std::uint32_t const low = level & 255u;
      if (shape.group > 256) high = (high ^ power(cell.key >> 8 & 255u, low) << 8) & high_bits();
      std::uint32_t const period = field(shape) - 1;
      level = high;
      if (low != 0) level += 1 + turned(powers[period + low] + period - (cell.key & 255u));
    }
    if (level < shape.first_level || level - shape.first_level >= shape.levels) return dead;
    return level - shape.first_level;
  }

  /// The level of a slot: in a cut cell, of the entries that are there.
  WEIR_HOST_DEVICE constexpr std::uint32_t row_level(Cell const& cell, std::uint32_t y,
                                                     std::size_t slot) const {
    std::uint32_t const w = width(static_cast<std::uint32_t>(slot / shape.levels));
    std::uint32_t left = static_cast<std::uint32_t>(slot % shape.levels);
    if (w == shape.group) return left;
    for (std::uint32_t level = 0;; ++level) {
      if (add(y, offset(cell, level)) < w && left-- == 0) return level;
    }
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t column_level(Cell const& cell, std::uint32_t z,
                                                        std::size_t slot) const {
    std::uint32_t const h = height(static_cast<std::uint32_t>(slot / shape.levels));
    std::uint32_t left = static_cast<std::uint32_t>(slot % shape.levels);
    if (h == shape.group) return left;
    for (std::uint32_t level = 0;; ++level) {
      if (subtract(z, offset(cell, level)) < h && left-- == 0) return level;
    }
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t cut_row_entries(Cell const& cell, std::uint32_t y,
                                                           std::uint32_t w) const {
    std::uint32_t count = 0;
    for (std::uint32_t level = 0; level < shape.levels; ++level) {
      count += add(y, offset(cell, level)) < w ? 1u : 0u;
    }
    return count;
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t cut_column_entries(Cell const& cell, std::uint32_t z,
                                                              std::uint32_t h) const {
    std::uint32_t count = 0;
    for (std::uint32_t level = 0; level < shape.levels; ++level) {
      count += subtract(z, offset(cell, level)) < h ? 1u : 0u;
    }
    return count;
  }
};

}  // namespace weir::inline v1
