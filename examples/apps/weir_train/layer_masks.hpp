#pragma once

#include <cstddef>
#include <cstdint>

#include "masked_values.hpp"
#include "masking.hpp"
#include "weir/core/random.hpp"
#include "weir/mask/bibd_mask.hpp"

namespace weir_train {

/// The masks of a network, one layer after another, or one matrix where a layer has several. Each has a copy
/// of its own of the design for its shape. Random masks have as many live entries as that design, and change
/// with the seed of the run.
class LayerMasks {
 public:
  LayerMasks(Masking const& masking, std::uint64_t seed) : masking_(masking), seed_(seed) {}

  /// Errors: those of `make_design`.
  weir::MaskOptions next(std::size_t outputs, std::size_t inputs) {
    weir::MaskOptions options{.outputs = outputs, .inputs = inputs, .density = masking_.density};
    options.seed = layer_;
    if (masking_.kind != MaskKind::bibd) {
      std::size_t const live = weir::BIBDMask(options).nnz();
      options.density = 0;
      options.seed = drawn_seed();
      options.family = name_of(masking_.kind);
      if (masking_.kind == MaskKind::random) {
        options.nnz = live;
      } else {
        options.row_degree = (live + outputs / 2) / outputs;
      }
    }
    ++layer_;
    return options;
  }

 private:
  std::uint64_t drawn_seed() const {
    constexpr std::uint32_t before_training = 0xffff'ffff;  // a micro-batch that no step has
    return seed_of({.seed = seed_, .step = 1, .micro_batch = before_training, .site = layer_});
  }

  Masking masking_;
  std::uint64_t seed_;
  std::uint32_t layer_ = 0;
};

}  // namespace weir_train
