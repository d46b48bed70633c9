#pragma once

#include <optional>
#include <string>

#include "arguments.hpp"
#include "configuration.hpp"
#include "masking.hpp"
#include "numbers.hpp"

namespace weir_train {

inline std::optional<MaskKind> parse_mask_kind(std::string const& value) {
  for (MaskKind const kind : {MaskKind::bibd, MaskKind::random, MaskKind::random_biregular}) {
    if (value == name_of(kind)) return kind;
  }
  if (value != "none") refuse_value("--mask", value, "none, bibd, random or random-biregular");
  return {};
}

/// Reads `--mask` and `--mask-density`. Errors: `UsageError`.
inline void parse_masking(Arguments const& a, Configuration& c) {
  if (a.given("--mask")) {
    if (auto const kind = parse_mask_kind(a["--mask"])) c.masking = Masking{.kind = *kind};
  }
  if (a.given("--mask-density")) {
    if (!c.masking)
      throw UsageError(
          "--mask-density: layers have all their weights without --mask; --mask bibd, or leaving it out, "
          "would be right");
    c.masking->density = parse_real(
        "--mask-density", a["--mask-density"], [](double density) { return density > 0 && density <= 1; },
        "a number above 0, at most 1");
  }
}

}  // namespace weir_train
