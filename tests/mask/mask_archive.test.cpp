#include "weir/mask/mask_archive.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"

namespace {

using weir::Archive;
using weir::BIBDMask;

/// Values that say where they belong: row * inputs + column + 1; padding is -1.
template <class D>
std::vector<float> named_values(BIBDMask<D> const& mask, float padding) {
  std::vector<float> values(mask.value_count(), padding);
  for (std::size_t r = 0; r < mask.outputs(); ++r) {
    for (std::size_t slot = 0; slot < mask.row_degree(r); ++slot)
      values[mask.value_index(r, slot)] = static_cast<float>(r * mask.inputs() + mask.column(r, slot) + 1);
  }
  return values;
}

}  // namespace

TEST_CASE("save_mask and load_mask: mask and values come back, padding as 0") {
  for (weir::MaskOptions const& options :
       {weir::MaskOptions{.outputs = 29, .inputs = 43, .density = 0.3, .seed = 2},
        weir::MaskOptions{.outputs = 20, .inputs = 16, .seed = 5},
        weir::MaskOptions{.family = "random", .outputs = 30, .inputs = 20, .seed = 9, .nnz = 100},
        weir::MaskOptions{.outputs = 50, .inputs = 70, .density = 0.5, .block = 8},
        weir::MaskOptions{.family = "affine-geometry", .order = 2, .dimension = 3, .seed = 4},
        weir::MaskOptions{.family = "affine-plane", .outputs = 16, .inputs = 20, .order = 4},  // its dual
        weir::MaskOptions{.family = "hadamard-group", .order = 4, .lambda = 2, .seed = 3},
        weir::MaskOptions{.family = "random-biregular", .outputs = 30, .inputs = 20, .row_degree = 6},
        weir::MaskOptions{.family = "complement-of:residual-of:paley", .order = 11, .seed = 2},
        weir::MaskOptions{.family = "complement-of:auto", .outputs = 42, .inputs = 36}}) {
    CAPTURE(options.family);
    BIBDMask const mask{options};
    Archive archive;
    weir::save_mask(archive, "layer", 3, mask, std::span<float const>(named_values(mask, -1)));
    BIBDMask const loaded = weir::load_mask(archive, "layer", 3);
    CHECK(matrix_of(loaded) == matrix_of(mask));
    CHECK(loaded.family() == mask.family());
    std::vector<float> values(loaded.value_count(), 7);
    weir::load_mask_values(archive, "layer", 3, loaded, std::span<float>(values));
    CHECK(values == named_values(mask, 0));
  }
}

TEST_CASE("save_mask: the values are in row-major order, whatever the layout") {
  BIBDMask const mask{weir::GroupDesign{{29, 43, 8, 3}}};
  Archive archive;
  weir::save_mask(archive, "layer", 0, mask, std::span<float const>(named_values(mask, -1)));
  auto const live = archive.get<float>("layer.values", 0, mask.nnz());
  for (std::size_t i = 1; i < live.size(); ++i) CHECK(live[i - 1] < live[i]);
}

TEST_CASE("load_mask_values: another number of values, or of another type, is refused and changes nothing") {
  BIBDMask const mask{{.outputs = 8, .inputs = 8, .density = 0.25}};
  BIBDMask const other{{.outputs = 8, .inputs = 8, .density = 0.5}};
  Archive archive;
  weir::save_mask(archive, "layer", 0, mask, std::span<float const>(named_values(mask, 0)));
  std::vector<float> values(other.value_count(), 7);
  CHECK_THROWS_AS(weir::load_mask_values(archive, "layer", 0, other, std::span<float>(values)),
                  weir::ArchiveError);
  CHECK(values == std::vector<float>(other.value_count(), 7));
  std::vector<double> doubles(mask.value_count());
  CHECK_THROWS_AS(weir::load_mask_values(archive, "layer", 0, mask, std::span<double>(doubles)),
                  weir::ArchiveError);
  values.resize(3);
  CHECK_THROWS_AS(weir::load_mask_values(archive, "layer", 0, mask, std::span<float>(values)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(weir::save_mask(archive, "more", 0, mask, std::span<float const>(values)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(weir::load_mask(archive, "missing", 0), weir::ArchiveError);
}

TEST_CASE("load_mask_values: values of another mask with as many entries are refused and change nothing") {
  BIBDMask const mask{{.outputs = 16, .inputs = 16, .density = 0.25}};
  BIBDMask const other{{.outputs = 16, .inputs = 16, .density = 0.25, .seed = 1}};
  CHECK(other.nnz() == mask.nnz());
  Archive archive;
  weir::save_mask(archive, "layer", 0, mask, std::span<float const>(named_values(mask, 0)));
  std::vector<float> values(other.value_count(), 7);
  CHECK_THROWS_WITH_AS(
      weir::load_mask_values(archive, "layer", 0, other, std::span<float>(values)),
      "layer.values: of a mask whose live entries are others, a mask of the same options from "
      "the library that wrote them would be right",
      weir::ArchiveError);
  CHECK(values == std::vector<float>(other.value_count(), 7));
}
