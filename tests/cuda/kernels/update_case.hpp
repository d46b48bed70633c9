#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/update_pieces.hpp"
#include "weir/exec/update_list.hpp"
#include "weir/exec/weighted_term.hpp"
#include "weir/host/kernels/adamw_update.hpp"
#include "weir/host/kernels/sgd_update.hpp"

/// What the layout of an update's arrays may be: each begins so many elements after an aligned address.
struct UpdatePhases {
  std::size_t bucket = 0;  // gradients and moments
  std::size_t weights = 0;
  std::size_t copies = 0;
};

/// A bucket of pieces of many sizes with k gradients, all in host memory: what an update of many tensors is
/// tried on. Everything between the pieces has to stay as it is.
template <class Real, class Element>
class UpdateCase {
 public:
  UpdateCase(std::vector<std::size_t> const& sizes, std::size_t terms, UpdatePhases const& phases,
             std::uint64_t seed)
      : phases_(phases) {
    oracle::Numbers numbers(seed);
    for (std::size_t size : sizes) {
      pieces_.push_back({nullptr, nullptr, size, elements, pieces_.size()});
      elements += size;
    }
    weights = numbers.vector<Real>(elements + gap);
    out = numbers.vector<Real>(elements + gap);
    first = numbers.vector<Real>(elements + gap);
    second = numbers.vector<Real>(elements + gap);
    for (Real& value : second) value = value < 0 ? -value : value;
    for (std::size_t t = 0; t < terms; ++t) {
      gradients.push_back(numbers.vector<Element>(elements + gap));
      term_weights.push_back(t == 1 ? 1.0 : 0.5 + 0.3 * static_cast<double>(t));
    }
    copies.assign(elements + gap, 77);
    for (std::size_t i = 0; i < sizes.size(); ++i)
      used.push_back(static_cast<std::uint32_t>(numbers.bits() % 3));
  }

  static constexpr std::size_t gap = 16;
  std::size_t elements = 0;
  std::vector<Real> weights, out, first, second;
  std::vector<std::vector<Element>> gradients;
  std::vector<double> term_weights;
  std::vector<std::uint16_t> copies;
  std::vector<std::uint32_t> used;  // some are 0

  std::size_t parameters() const { return pieces_.size(); }
  std::size_t bucket_offset() const { return phases_.bucket; }
  std::size_t weights_offset() const { return phases_.weights; }
  std::size_t copies_offset() const { return phases_.copies; }
  weir::UpdatePiece<Real> const& piece(std::size_t i) const { return pieces_[i]; }

  /// The pieces of weights that begin, but for the phase, at `in` and are written to `to`.
  std::vector<weir::UpdateChunk<Real>> chunks(Real const* in, Real* to,
                                              std::size_t size = weir::update_chunk_elements) const {
    std::vector<weir::UpdatePiece<Real>> placed = pieces_;
    for (auto& piece : placed) {
      piece.weights = in + phases_.weights + piece.offset;
      piece.out = to + phases_.weights + piece.offset;
    }
    return weir::cut_into_chunks(std::span<weir::UpdatePiece<Real> const>(placed), size);
  }

  /// By parameter, where the copies lie in memory that begins at `to`.
  std::vector<void*> copy_pointers(std::uint16_t* to) const {
    std::vector<void*> pointers;
    for (auto const& piece : pieces_) pointers.push_back(to + phases_.copies + piece.offset);
    return pointers;
  }

  template <class Space>
  std::vector<weir::WeightedTerm<Element, Space>> terms(std::vector<Element const*> const& begins) const {
    std::vector<weir::WeightedTerm<Element, Space>> list;
    for (std::size_t t = 0; t < begins.size(); ++t)
      list.push_back({{begins[t] + phases_.bucket, elements}, term_weights[t]});
    return list;
  }

 private:
  UpdatePhases phases_;
  std::vector<weir::UpdatePiece<Real>> pieces_;
};

/// What an update is told besides.
struct UpdateSettings {
  bool in_place = true;
  bool with_used = false;
  bool with_copies = false;
  weir::ElementType copy_type = weir::ElementType::bfloat16;
  weir::GradientControl control = {};
};

inline weir::OptimizerState update_state() {
  return {.learning_rate = 0.1, .step = 2, .beta1_power = 0.81, .beta2_power = 0.25};
}

/// The update of a case by plain loops, in the case's own memory.
template <class Real, class Element>
void update_by_hand(UpdateCase<Real, Element>& all, UpdateSettings const& settings, auto const& constants,
                    bool has_velocity) {
  auto const state = update_state();
  auto const chunks = all.chunks(all.weights.data(), settings.in_place ? all.weights.data() : all.out.data());
  auto const pointers = all.copy_pointers(all.copies.data());
  weir::UpdateList<Real> list{chunks.data(), chunks.size(), all.elements};
  if (settings.with_used) list.used = all.used.data();
  if (settings.with_copies) list.copies = {pointers.data(), settings.copy_type};
  std::vector<Element const*> begins;
  for (auto const& gradient : all.gradients) begins.push_back(gradient.data());
  auto const terms = all.template terms<weir::HostSpace>(begins);
  weir::GradientScale const scale{0.5, &settings.control};
  Real* const first = all.first.data() + all.bucket_offset();
  Real* const second = all.second.data() + all.bucket_offset();
  update_pieces_by_hand(list, std::span<weir::WeightedTerm<Element, weir::HostSpace> const>(terms), scale,
                        [&](Real const* weight, Real* to, Real gradient, std::size_t i) {
                          if constexpr (requires { constants.momentum; }) {
                            weir::detail::SgdUpdate<Real>(
                                {weight, to, &gradient, has_velocity ? first + i : nullptr}, constants, state,
                                scale)
                                .template step<1>(0);
                          } else {
                            weir::detail::AdamWUpdate<Real>({weight, to, &gradient, first + i, second + i},
                                                            constants, state, scale)
                                .template step<1>(0);
                          }
                        });
}

/// Equal bit for bit, gaps included.
template <class Real, class Element>
bool same(UpdateCase<Real, Element> const& one, UpdateCase<Real, Element> const& other) {
  return oracle::same(one.weights, other.weights) && oracle::same(one.out, other.out) &&
         oracle::same(one.first, other.first) && oracle::same(one.second, other.second) &&
         one.copies == other.copies;
}
