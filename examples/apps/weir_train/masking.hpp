#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace weir_train {

enum class MaskKind : std::uint8_t { bibd, random, random_biregular };

/// Which weights of a network's matrices are live; of embeddings and of the last layer all are.
struct Masking {
  MaskKind kind = MaskKind::bibd;
  double density = 0;  // 0: that of the block design for the shape
};

inline char const* name_of(MaskKind kind) {
  return kind == MaskKind::bibd ? "bibd" : kind == MaskKind::random ? "random" : "random-biregular";
}

/// ", bibd mask of density 0.25"
inline std::string text_of(Masking const& masking) {
  std::string const text = std::string(", ") + name_of(masking.kind) + " mask";
  if (masking.density == 0) return text;
  char density[32];
  std::snprintf(density, sizeof density, "%g", masking.density);
  return text + " of density " + density;
}

}  // namespace weir_train
