#include "weir/mask/design/group.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "fault/sanitizers.hpp"
#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design/permuted.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/lambda_histogram.hpp"
#include "weir/mask/prime_power.hpp"
#include "weir/mask/spectrum.hpp"

namespace {

using weir::DegreeRange;
using weir::GroupDesign;
using weir::GroupLayout;
using Histogram = std::vector<weir::LambdaCount>;

std::vector<std::uint32_t> offsets(GroupDesign const& design, std::uint32_t a) {
  std::vector<std::uint32_t> row;
  for (std::uint32_t c = 0; c < design.layout().shape.groups; ++c)
    row.push_back(design.layout().offset(a, c, 0));
  return row;
}

/// From `least` to `most`, mostly small numbers, whose entries are counted sooner.
std::size_t drawn(std::uint32_t word, std::size_t least, std::size_t most) {
  double const share = weir::RandomStream::uniform_from(word);
  double const ratio = static_cast<double>(most + 1) / static_cast<double>(least);
  return static_cast<std::size_t>(static_cast<double>(least) * std::exp(share * share * std::log(ratio)));
}

/// Every entry of a design with one level, where slots of a column ascend: row and column are each other's
/// inverse.
bool is_inverse(weir::GroupLayout const& layout) {
  std::vector<std::size_t> next(layout.inputs());
  for (std::size_t r = 0; r < layout.outputs(); ++r) {
    std::size_t const degree = layout.row_degree(r);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      std::size_t const c = layout.column(r, slot);
      if (c >= layout.inputs() || layout.row(c, next[c]++) != r) return false;
    }
  }
  for (std::size_t c = 0; c < layout.inputs(); ++c) {
    if (next[c] != layout.column_degree(c)) return false;
  }
  return true;
}

/// The same with any levels, by the slots that the layout finds.
bool is_inverse_by_slots(weir::GroupLayout const& layout) {
  std::vector<std::size_t> entries(layout.inputs());
  for (std::size_t r = 0; r < layout.outputs(); ++r) {
    std::size_t const degree = layout.row_degree(r);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      std::size_t const c = layout.column(r, slot);
      if (c >= layout.inputs() || layout.row_slot(r, c) != slot) return false;
      std::size_t const other = layout.column_slot(c, r);
      if (other >= layout.column_degree(c) || layout.row(c, other) != r) return false;
      ++entries[c];
    }
  }
  for (std::size_t c = 0; c < layout.inputs(); ++c) {
    if (entries[c] != layout.column_degree(c)) return false;
  }
  return true;
}

/// A whole design of GF(order), with as many classes as the field has elements: no two inputs of a group
/// meet, all others do equally often, and all singular values but the first are known.
void check_whole(std::size_t n, std::size_t order, std::size_t groups) {
  CAPTURE(n);
  CAPTURE(order);
  CAPTURE(groups);
  std::size_t const outputs = n * order, inputs = n * groups;
  GroupDesign const design{{outputs, inputs, static_cast<std::uint32_t>(n)}};
  CHECK(design.field_order() == order);
  CHECK(design.nnz() == outputs * groups);
  CHECK(weir::row_degrees(design) == DegreeRange{groups, groups});
  CHECK(weir::column_degrees(design) == DegreeRange{order, order});
  std::uint64_t const apart = groups * n * (n - 1) / 2;
  CHECK(weir::lambda_histogram(design) ==
        Histogram{{0, apart}, {order / n, inputs * (inputs - 1) / 2 - apart}});
  CHECK(weir::singular_values(design).second == doctest::Approx(std::sqrt(double(order))).epsilon(1e-6));
  CHECK(is_inverse(design.layout()));
}

/// As many paths as there are from each input through layers to each output, row by row.
std::vector<std::size_t> paths_through(std::vector<std::vector<std::uint8_t>> const& layers,
                                       std::size_t side) {
  std::vector<std::size_t> paths(layers[0].begin(), layers[0].end());  // outputs x inputs
  for (std::size_t i = 1; i < layers.size(); ++i) {
    std::vector<std::size_t> longer(side * side);
    for (std::size_t r = 0; r < side; ++r) {
      for (std::size_t between = 0; between < side; ++between) {
        if (layers[i][r * side + between] == 0) continue;
        for (std::size_t c = 0; c < side; ++c) longer[r * side + c] += paths[between * side + c];
      }
    }
    paths = longer;
  }
  return paths;
}

}  // namespace

TEST_CASE("GroupDesign: the canonical offsets") {
  using Row = std::vector<std::uint32_t>;
  GroupDesign const eight{{64, 64, 8}};
  CHECK(offsets(eight, 2) == Row{0, 2, 4, 6, 3, 1, 7, 5});
  CHECK(offsets(eight, 3) == Row{0, 3, 6, 5, 7, 4, 1, 2});
  CHECK(offsets(eight, 7) == Row{0, 7, 5, 2, 1, 6, 4, 3});
  CHECK(offsets(GroupDesign{{64, 64, 4}}, 5) == Row{0, 1, 2, 3, 3, 2, 1, 0, 2, 3, 0, 1, 1, 0, 3, 2});
  GroupDesign const powers{{24, 24, 8}};
  CHECK(offsets(powers, 0) == Row{1, 2, 4});
  CHECK(offsets(powers, 1) == Row{2, 4, 3});
  CHECK(offsets(powers, 2) == Row{4, 3, 6});
}

TEST_CASE("GroupDesign: offsets are (g^seed alpha gamma in GF(N)) mod n, whatever is as many as N") {
  struct {
    std::uint32_t n, order;
  } const fields[] = {{2, 2},  {2, 16}, {4, 4}, {8, 32}, {3, 3},   {3, 9},   {3, 81},
                      {5, 25}, {7, 7},  {9, 9}, {9, 27}, {25, 25}, {25, 125}};
  for (auto const& known : fields) {
    weir::GaloisField const field(known.order);
    std::uint32_t const order = known.order, fewer = order - 1, few = order / 2 + 1;
    struct {
      std::uint32_t classes, groups;
    } const shapes[] = {{order, order}, {order, few},   {few, order},   {order, 1},
                        {1, order},     {fewer, fewer}, {fewer, order}, {order, fewer}};
    for (auto const& shape : shapes) {
      for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0} - 4}) {
        std::size_t const cut = shape.classes == 1 ? 0 : known.n / 2;
        GroupDesign const design{{std::size_t{known.n} * shape.classes - cut,
                                  std::size_t{known.n} * shape.groups, known.n, 1, seed}};
        CAPTURE(known.n);
        CAPTURE(shape.classes);
        CAPTURE(shape.groups);
        CAPTURE(seed);
        REQUIRE(design.field_order() == order);
        std::uint32_t const start = field.power(field.generator(), seed);
        bool is_right = true;
        for (std::uint32_t a = 0; a < shape.classes; ++a) {
          std::uint32_t const slope = shape.classes == order ? a : field.power(field.generator(), a);
          std::vector<std::uint32_t> wanted;
          for (std::uint32_t c = 0; c < shape.groups; ++c) {
            std::uint32_t const place = shape.groups == order ? c : field.power(field.generator(), c);
            wanted.push_back(field.multiply(start, field.multiply(slope, place)) % known.n);
          }
          is_right = is_right && offsets(design, a) == wanted;
        }
        CHECK(is_right);
      }
    }
  }
}

TEST_CASE("GroupDesign: the canonical matrices") {
  CHECK(crc32(GroupDesign{{4, 4, 2}}) == 0xe03a8269);
  CHECK(crc32(GroupDesign{{64, 64, 8}}) == 0x96aaf921);
  CHECK(crc32(GroupDesign{{64, 64, 8, 1, 1}}) == 0x122d2d61);
  CHECK(crc32(GroupDesign{{256, 256, 16}}) == 0x4d362175);
  CHECK(crc32(GroupDesign{{100, 100, 8}}) == 0x4b8d97a7);
  CHECK(crc32(GroupDesign{{9, 9, 3}}) == 0xca78995b);
}

TEST_CASE("GroupDesign: whole designs of 2^i in GF(2^j): pairs of a group never meet, others N/n times") {
  for (std::size_t i = 1; i <= 5; ++i) {
    for (std::size_t j = i; i + j <= 10; ++j)
      check_whole(std::size_t{1} << i, std::size_t{1} << j, std::size_t{1} << j);
  }
}

TEST_CASE("GroupDesign: whole designs of odd fields: pairs of a group never meet, others N/n times") {
  struct {
    std::size_t n, order;
  } const known[] = {{3, 3},  {3, 9}, {3, 27}, {5, 5},   {5, 25}, {7, 7},
                     {7, 49}, {9, 9}, {9, 27}, {11, 11}, {25, 25}};
  for (auto const& design : known) check_whole(design.n, design.order, design.order);
}

TEST_CASE("GroupDesign: whole designs of all classes and fewer groups: the same meetings, and sqrt(N)") {
  struct {
    std::size_t n, order;
  } const known[] = {{2, 8}, {4, 4}, {8, 16}, {3, 9}, {5, 25}, {7, 7}, {9, 27}};
  for (auto const& design : known) {
    for (std::size_t groups = 2; groups < design.order; groups += 1 + groups / 2)
      check_whole(design.n, design.order, groups);
  }
}

TEST_CASE("GroupDesign: any shape has the degrees that were promised, and every entry an inverse") {
  std::uint32_t const groups[] = {2, 3, 4, 5, 7, 8, 9, 16, 25, 27, 32, 49, 64, 81, 128, 256};
  constexpr std::uint32_t step = UNDER_ADDRESS_SANITIZER ? 20 : 1;  // which makes it 10 times as slow
  std::size_t checked = 0, with_levels = 0, cut_both_ways = 0;
  for (std::uint32_t i = 0; i < 10'000; i += step) {
    weir::RandomWords const words = weir::RandomStream{.seed = 5}(i);
    std::uint32_t const n = groups[words[2] % 16];
    std::size_t const outputs = drawn(words[0], n, 2048);
    std::size_t const inputs = drawn(words[1], n, 2048);
    std::uint32_t levels = 1;
    if (n > 2 && words[3] / 3 % 2 == 0) levels = n % 2 == 0 ? 2 + words[3] / 6 % (n - 2) : n - 1;
    std::size_t const most = 5'000 * std::size_t{n} / (outputs * inputs);  // entries are looked up one by one
    if (levels > most) levels = n % 2 == 0 && most > 1 ? static_cast<std::uint32_t>(most) : 1;
    GroupDesign const design{{outputs, inputs, n, levels, words[3] % 3}};
    auto const layout = design.layout();
    bool is_right = levels == 1 ? is_inverse(layout) : is_inverse_by_slots(layout);
    DegreeRange const rows = weir::row_degrees(layout);
    DegreeRange const columns = weir::column_degrees(layout);
    if (levels == 1) {
      is_right = is_right && rows.least >= inputs / n && rows.most <= (inputs + n - 1) / n;
      is_right = is_right && columns.least >= outputs / n && columns.most <= (outputs + n - 1) / n;
    }
    is_right = is_right && rows.least > 0 && rows.most - rows.least <= levels;
    is_right = is_right && columns.least > 0 && columns.most - columns.least <= levels;
    std::size_t counted = 0;
    for (std::size_t r = 0; r < outputs; ++r) counted += layout.row_degree(r);
    is_right = is_right && counted == design.nnz();
    if (inputs % n == 0 || outputs % n == 0) is_right = is_right && counted == inputs * outputs / n * levels;
    CAPTURE(outputs);
    CAPTURE(inputs);
    CAPTURE(n);
    CAPTURE(levels);
    REQUIRE(is_right);
    ++checked;
    with_levels += levels > 1 ? 1 : 0;
    cut_both_ways += inputs % n != 0 && outputs % n != 0 ? 1 : 0;
    if (i % 200 != 0 || levels != 1) continue;
    double const bound = std::sqrt(static_cast<double>(design.field_order()));
    CHECK(weir::singular_values(design).second <= bound * (1 + 1e-6));
  }
  CHECK(checked == 10'000 / step);
  CHECK(with_levels > 2'000 / step);
  CHECK(cut_both_ways > 5'000 / step);
}

TEST_CASE("GroupDesign: levels, up to full but one, cut or not") {
  for (std::uint32_t levels = 1; levels < 16; ++levels) {
    CAPTURE(levels);
    GroupDesign const whole{{64, 80, 16, levels, 3}};
    CHECK(fault_of(whole) == "");
    CHECK(whole.nnz() == 64 * 80 / 16 * levels);
    GroupDesign const cut{{61, 83, 16, levels, 3}};
    CHECK(fault_of(cut) == "");
    DegreeRange const rows = weir::row_degrees(cut);
    CHECK(rows.most - rows.least <= levels);
  }
  CHECK(fault_of(GroupDesign{{100, 70, 9, 8}}) == "");
  CHECK(fault_of(GroupDesign{{519, 514, 512, 5}}) == "");
  if (!UNDER_ADDRESS_SANITIZER) CHECK(fault_of(GroupDesign{{1030, 1024, 512, 300, 2}}) == "");
  CHECK(fault_of(GroupDesign{{1100, 1040, 1024, 3, 1}}) == "");
  CHECK(fault_of(GroupDesign{{260, 258, 256, 255}}) == "");
}

TEST_CASE(
    "GroupDesign: beyond one half, all but the levels of the rest, with the same second singular value") {
  GroupDesign const thin{{64, 64, 8, 3, 4}};
  GroupDesign const thick{{64, 64, 8, 5, 4}};
  for (std::size_t r = 0; r < 64; ++r) {
    for (std::size_t c = 0; c < 64; ++c) CHECK(thin.contains(r, c) != thick.contains(r, c));
  }
  CHECK(weir::singular_values(thin).second == doctest::Approx(weir::singular_values(thick).second));
}

TEST_CASE("GroupDesign: two canonical layers join almost every pair by exactly one path") {
  GroupDesign const layer{{256, 256, 16}};
  std::size_t without = 0;
  std::size_t most = 0;
  for (std::size_t input = 0; input < 256; ++input) {
    std::size_t paths[256] = {};
    for (std::size_t i = 0; i < 16; ++i) {
      std::size_t const between = layer.row(input, i);
      for (std::size_t j = 0; j < 16; ++j) ++paths[layer.row(between, j)];
    }
    for (std::size_t const count : paths) {
      without += count == 0 ? 1 : 0;
      most = count > most && count != 16 ? count : most;
    }
  }
  CHECK(without == 3840);
  CHECK(most == 1);
}

TEST_CASE("GroupDesign: three canonical layers join every pair by 15 to 31 paths, permuted ones do not") {
  auto const layer = matrix_of(GroupDesign{{256, 256, 16}});
  std::size_t least = 256, most = 0;
  for (std::size_t const count : paths_through({layer, layer, layer}, 256)) {
    least = count < least ? count : least;
    most = count > most ? count : most;
  }
  CHECK(least == 15);
  CHECK(most == 31);

  std::vector<std::uint32_t> rows(256), columns(256), shifted(256);
  for (std::uint32_t i = 0; i < 256; ++i) rows[i] = columns[i] = i;
  for (std::uint32_t i = 255; i > 0; --i)
    std::swap(columns[i], columns[weir::philox({{i, 0, 0, 0}}, 1)[0] % (i + 1)]);
  for (std::uint32_t i = 0; i < 256; ++i) shifted[i] = i ^ (weir::philox({{i / 16, 0, 0, 0}}, 2)[0] % 16);
  for (auto const& order : {columns, shifted}) {
    auto const other = matrix_of(weir::permuted(GroupDesign{{256, 256, 16}}, rows, order));
    std::size_t without = 0;
    for (std::size_t const count : paths_through({layer, other}, 256)) without += count == 0 ? 1 : 0;
    CHECK(without > 20'000);  // in order: 3,840
  }
}

TEST_CASE("GroupDesign: seeds give copies with the period of the field's generator") {
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 63; ++seed)
    seen.insert(matrix_of(GroupDesign{{64, 64, 1u << 6, 1, seed}}));
  CHECK(seen.size() == 63);
  CHECK(matrix_of(GroupDesign{{64, 64, 8, 1, 7}}) == matrix_of(GroupDesign{{64, 64, 8}}));
  CHECK(weir::lambda_histogram(GroupDesign{{64, 64, 8, 1, 3}}) == Histogram{{0, 224}, {1, 1792}});
  CHECK(matrix_of(GroupDesign{{64, 64, 16, 3, 1}}) != matrix_of(GroupDesign{{64, 64, 16, 3, 2}}));
}

TEST_CASE("GroupDesign: seeds below 1,000 differ where the field is large enough") {
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    seen.insert(matrix_of(GroupDesign{{16, 2048, 2, 1, seed}}));  // N = 1,024
  CHECK(seen.size() == 1000);
}

TEST_CASE("GroupDesign: levels of large groups are drawn cell by cell") {
  GroupDesign const design{{2048, 2048, 512, 3, 1}};
  auto const layout = design.layout();
  std::set<std::uint32_t> distances;
  for (std::uint32_t a = 0; a < 4; ++a) {
    for (std::uint32_t c = 0; c < 4; ++c) {
      std::set<std::uint32_t> here;
      for (std::uint32_t level = 0; level < 3; ++level) here.insert(layout.offset(a, c, level));
      CHECK(here.size() == 3);
      CHECK(*here.rbegin() < 512);
      distances.insert(layout.offset(a, c, 0) ^ layout.offset(a, c, 1));
    }
  }
  CHECK(distances.size() > 12);
}

TEST_CASE("GroupDesign: tables take 2 bytes per cell and at most 1 KiB, whatever is asked for") {
  CHECK(GroupDesign{{4096, 4096, 64}}.table_bytes() == 2 * 64 * 64);
  CHECK(GroupDesign{{4096, 4096, 256, 9}}.table_bytes() <= 2 * 16 * 16 + 1024);
  CHECK(GroupDesign{{300, 200, 1}}.table_bytes() == 0);
  std::size_t checked = 0;
  auto const check = [&](std::size_t outputs, std::size_t inputs, std::uint32_t n, std::uint32_t levels) {
    GroupDesign const design({outputs, inputs, n, levels, outputs + levels});
    std::size_t const cells = ((outputs + n - 1) / n) * ((inputs + n - 1) / n);
    CAPTURE(n);
    CAPTURE(levels);
    CHECK(design.table_bytes() <= 2 * cells + 1024);
    CHECK(design.complement().table_bytes() <= 2 * cells + 1024);
    CHECK(weir::AnyDesign(design).table_bytes() == design.table_bytes());
    ++checked;
  };
  for (std::uint32_t n = 2; n <= 65'535; n += n < 600 ? 1 : n < 5000 ? 37 : 1001) {
    if (!weir::prime_power(n)) continue;
    check(3 * std::size_t{n}, 2 * std::size_t{n} - 1, n, 1);
    check(n, n, n, n - 1);
  }
  for (std::uint32_t n = 4; n <= 32'768; n *= 2) {
    for (std::uint32_t levels : {2u, 3u, 5u, n / 2 - 1, n / 2, n / 2 + 1, n - 2}) {
      if (levels < 2 || levels > n - 2) continue;
      for (std::size_t classes : {1u, 2u, 7u}) {
        check(classes * n, n, n, levels);
        check(n + 1, classes * n + n / 2, n, levels);
      }
    }
  }
  CHECK(checked > 400);
}

TEST_CASE("GroupDesign: more than 2^32 values keep their places") {
  GroupDesign const design{{131'072, 131'072, 256, 128, 3}};
  std::size_t const count = std::size_t{1} << 33;
  CHECK(design.nnz() == count);
  CHECK(design.value_count() == count);
  CHECK(design.table_bytes() <= 2 * 512 * 512 + 1024);
  weir::AnyDesign const any(design);
  for (std::size_t row : {0u, 1u, 32'767u, 65'535u, 98'304u, 131'071u}) {
    for (std::size_t slot : {0u, 1u, 127u, 128u, 40'000u, 65'535u}) {
      CAPTURE(row);
      CAPTURE(slot);
      std::size_t const index = ((row / 256 * 512 + slot / 128) * 128 + slot % 128) * 256 + row % 256;
      CHECK(design.value_index(row, slot) == index);
      CHECK(any.value_index(row, slot) == index);
      std::size_t const column = design.column(row, slot);
      std::size_t const turned = design.column_slot(column, row);
      CHECK(design.row(column, turned) == row);
      CHECK(design.value_index_transposed(column, turned) == index);
      CHECK(any.value_index_transposed(column, turned) == index);
    }
  }
  CHECK(design.value_index(131'071, 65'535) == count - 1);
}

TEST_CASE("GroupDesign: levels of large groups are drawn, and found again, without tables") {
  for (std::uint32_t n = 512; n <= 32'768; n *= 2) {
    CAPTURE(n);
    GroupDesign const design({2 * n, 3 * n, n, n / 2 - 1, 7});
    GroupLayout const layout = design.layout();
    std::set<std::uint32_t> seconds;
    for (std::uint32_t a = 0; a < 2; ++a) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        std::vector<bool> taken(n);
        std::uint32_t distinct = 0, even = 0;
        for (std::uint32_t level = 0; level < n / 2 - 1; ++level) {
          std::uint32_t const offset = layout.offset(a, c, level);
          CHECK(offset < n);
          distinct += taken[offset] ? 0 : 1;
          taken[offset] = true;
          even += (offset & 1u) == 0 ? 1 : 0;
        }
        CHECK(distinct == n / 2 - 1);
        CHECK(even > n / 8);
        CHECK(even < 3 * n / 8);
        seconds.insert(layout.offset(a, c, 0) ^ layout.offset(a, c, 1));
        // What lies on which diagonal is known from the diagonal.
        for (std::uint32_t y : {0u, 1u, n - 1}) {
          for (std::uint32_t z = 0; z < n; z += 17)
            CHECK(design.contains(a * n + y, c * n + z) == taken[y ^ z]);
        }
      }
    }
    CHECK(seconds.size() > 3);
    CHECK(design.complement().nnz() + design.nnz() == std::size_t{6} * n * n);
    CHECK(!design.complement().contains(0, layout.offset(0, 0, 1)));
  }
}

TEST_CASE("GroupDesign: levels of large groups make no inputs alike, and a spectrum near that of chance") {
  struct {
    std::uint32_t n, levels;
    double of_random;  // the second singular value, at most, over that of a random mask
  } const cases[] = {{512, 16, 1.5}, {512, 100, 1.5}, {512, 256, 2.0}, {1024, 512, 2.5}};
  constexpr std::size_t side = 2048;
  for (auto const& known : cases) {
    std::uint32_t const n = known.n;
    CAPTURE(n);
    CAPTURE(known.levels);
    GroupDesign const design({side, side, n, known.levels, 3});
    std::set<std::vector<std::size_t>> columns;
    for (std::size_t column = 0; column < n; ++column) {
      std::vector<std::size_t> rows;
      for (std::size_t slot = 0; slot < design.column_degree(column); ++slot)
        rows.push_back(design.row(column, slot));
      std::sort(rows.begin(), rows.end());
      columns.insert(rows);
    }
    CHECK(columns.size() == n);
    double const density = static_cast<double>(known.levels) / n;
    double const random = 2 * std::sqrt(static_cast<double>(side) * density * (1 - density));
    CHECK(weir::singular_values(design.layout()).second <= known.of_random * random);
  }
}

TEST_CASE("GroupDesign: what there is no group design for is refused") {
  CHECK_THROWS_WITH_AS(GroupDesign({20, 20, 6}), "order 6: not a prime power (nearest: 5, 7)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GroupDesign({16, 784, 32}),
                       "order 32: greater than 16, the smaller side (nearest: 16)", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GroupDesign({1, 5, 2}), "order 2: greater than 1, the smaller side (nearest: 1)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GroupDesign({64, 64, 8, 8}), "levels 8: from 1 to 7 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(GroupDesign({64, 64, 9, 4}),
                       "levels 4: with order 9, no power of two, 1 or 8 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_AS(GroupDesign({64, 64, 8, 0}), weir::ContractViolation);
  CHECK_THROWS_AS(GroupDesign({0, 64, 8}), weir::ContractViolation);
}
