#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/exec/adamw_rule.hpp"
#include "weir/exec/number_math.hpp"
#include "weir/exec/sgd_rule.hpp"
#include "weir/exec/update_list.hpp"

namespace weir::inline v1 {
namespace detail {

// What one block of threads does to its chunk of an update. All of it can be called on the host as well,
// where a test plays the threads one after another.

template <class Real>
WEIR_HOST_DEVICE inline void apply_rule(SgdRule<Real> const& rule, Real weight, Real gradient, Real& velocity,
                                        Real&, bool has_moments, Real& updated) {
  rule.template prepare<NumberMath>(weight, gradient);
  if (has_moments) rule.template accelerate<NumberMath>(velocity, gradient);
  rule.template descend<NumberMath>(weight, gradient, updated);
}

template <class Real>
WEIR_HOST_DEVICE inline void apply_rule(AdamWRule<Real> const& rule, Real weight, Real gradient, Real& first,
                                        Real& second, bool, Real& updated) {
  rule.template update<NumberMath>(weight, gradient, first, second, updated);
}

/// One block's chunk, and what it is updated with. All pointers are to where the chunk begins.
template <class Rule, class Element, int Terms>
struct UpdateBlock {
  using Real = typename Rule::Real;
  static constexpr int width = full_width<Real>;
  static constexpr int loads = Terms + 1 + Rule::moments;  // of a pack

  Rule rule;
  Real const* weights;
  Real* out;
  Real* moments[Rule::moments];  // null: none
  Element const* terms[Terms];
  Real term_weights[Terms];
  void* copy;  // of `copy_type`; null: none
  ElementType copy_type;
  std::uint32_t size;

  /// The share of one of `threads` threads.
  WEIR_HOST_DEVICE void update(std::uint32_t thread, std::uint32_t threads) const {
    std::uint32_t head = size, packs = 0;  // without packs all is head
    if (is_alike()) {
      std::uint32_t const lead = (width - phase(out)) % width;
      head = lead < size ? lead : size;
      packs = (size - head) / width;
    }
    constexpr int in_flight = tuning_here().loads_in_flight;
    if (packs != 0) {
      bool const wide_copy = (reinterpret_cast<std::uintptr_t>(copy) + 2 * head) % (2 * width) == 0;
      sweep<width, rows_together(in_flight, loads, 2)>(
          thread, threads, packs, wide_copy, [=](std::uint32_t pack) { return head + pack * width; });
    }
    // What lies before and after the packs, or all of it.
    std::uint32_t const after = packs * width;
    sweep<1, rows_together(2 * in_flight, loads, 4)>(
        thread, threads, size - after, false,
        [=](std::uint32_t single) { return single < head ? single : single + after; });
  }

  /// The same in a step that is skipped, or for a parameter that was not used.
  WEIR_HOST_DEVICE void keep(std::uint32_t thread, std::uint32_t threads) const {
    if (out == weights && copy == nullptr) return;
    for (std::uint32_t i = thread; i < size; i += threads) {
      Real const weight = weights[i];
      if (out != weights) out[i] = weight;
      write_copy(i, Pack<Real, 1>{{weight}}, false);
    }
  }

 private:
  WEIR_HOST_DEVICE bool has_moments() const { return Rule::moments == 2 || moments[0] != nullptr; }

  /// How many elements beyond a multiple of `width` of them an address is.
  template <class Any>
  WEIR_HOST_DEVICE static std::uint32_t phase(Any const* address) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(address) / sizeof(Any)) % width;
  }

  /// Whether packs of all arrays begin at the same elements.
  WEIR_HOST_DEVICE bool is_alike() const {
    std::uint32_t const expected = phase(out);
    bool alike = phase(weights) == expected;
    for (Real const* moment : moments) alike = alike && (moment == nullptr || phase(moment) == expected);
    for (Element const* term : terms) alike = alike && phase(term) == expected;
    return alike;
  }

  /// All loads of a turn come first, so that they are in flight together.
  template <int Width, int Rows, class Place>
  WEIR_HOST_DEVICE void sweep(std::uint32_t thread, std::uint32_t threads, std::uint32_t count,
                              bool wide_copy, Place const& place) const {
    for (std::uint32_t first = thread; first < count; first += Rows * threads) {
      Pack<Real, Width> weight[Rows], moment[Rows][2];
      Pack<Element, Width> term[Rows][Terms];
      for (int row = 0; row < Rows; ++row) {
        if (first + row * threads >= count) continue;
        std::uint32_t const i = place(first + row * threads);
        load_once(weights + i, weight[row]);
        for (int t = 0; t < Terms; ++t) load_once(terms[t] + i, term[row][t]);
        if (has_moments()) {
          for (int m = 0; m < Rule::moments; ++m) load_once(moments[m] + i, moment[row][m]);
        }
      }
      for (int row = 0; row < Rows; ++row) {
        if (first + row * threads >= count) continue;
        finish<Width>(place(first + row * threads), weight[row], moment[row], term[row], wide_copy);
      }
    }
  }

  template <int Width>
  WEIR_HOST_DEVICE void finish(std::uint32_t i, Pack<Real, Width> const& weight,
                               Pack<Real, Width> (&moment)[2], Pack<Element, Width> const (&term)[Terms],
                               bool wide_copy) const {
    Pack<Real, Width> updated;
    for (int lane = 0; lane < Width; ++lane) {
      Real sum;
      NumberMath::multiply(as_real<Real>(term[0].elements[lane]), term_weights[0], sum);
      for (int t = 1; t < Terms; ++t)
        NumberMath::multiply_add(as_real<Real>(term[t].elements[lane]), term_weights[t], sum, sum);
      apply_rule(rule, weight.elements[lane], sum, moment[0].elements[lane], moment[1].elements[lane],
                 has_moments(), updated.elements[lane]);
    }
    store(updated, out + i);
    if (has_moments()) {
      for (int m = 0; m < Rule::moments; ++m) store(moment[m], moments[m] + i);
    }
    write_copy(i, updated, wide_copy);
  }

  template <int Width>
  WEIR_HOST_DEVICE void write_copy(std::uint32_t i, Pack<Real, Width> const& from, bool wide) const {
    if constexpr (std::is_same_v<Real, float>) {
      if (copy == nullptr) return;
      if (copy_type == ElementType::bfloat16) {
        write_as<bfloat16>(i, from, wide);
      } else {
        write_as<half>(i, from, wide);
      }
    }
  }

  template <class Narrow, int Width>
  WEIR_HOST_DEVICE void write_as(std::uint32_t i, Pack<float, Width> const& from, bool wide) const {
    Pack<Narrow, Width> rounded;
    for (int lane = 0; lane < Width; ++lane) rounded.elements[lane] = same_bits<Narrow>(from.elements[lane]);
    Narrow* const to = static_cast<Narrow*>(copy) + i;
    if (Width > 1 && wide) {
      store(rounded, to);
    } else {
      for (int lane = 0; lane < Width; ++lane) to[lane] = rounded.elements[lane];
    }
  }
};

/// All of an update: its chunks, or one piece that is cut here.
template <class Rule, class Element, int Terms>
struct UpdateWork {
  using Real = typename Rule::Real;
  using Block = UpdateBlock<Rule, Element, Terms>;
  using Constants = std::conditional_t<Rule::moments == 1, SgdConstants, AdamConstants>;

  UpdateChunk<Real> const* chunks;  // null: the whole is cut into chunks of the usual size
  UpdateChunk<Real> whole;
  std::size_t elements;  // of the whole
  std::uint32_t lead;    // by so much the first of its chunks is shorter
  Real* moments[Rule::moments];
  Element const* terms[Terms];
  Real term_weights[Terms];
  Constants constants;
  OptimizerState const* state;
  GradientScale scale;
  std::uint32_t const* used;
  WeightCopies copies;
  WeightShift shift;

  /// What changes from step to step.
  struct Step {
    Rule rule;
    bool skip;
  };
  WEIR_HOST_DEVICE Step step() const { return {Rule(constants, *state, scale), scale.skip()}; }

  /// How many chunks the whole is cut into.
  std::size_t own_chunks() const {
    return elements == 0 ? 0 : (elements + lead + update_chunk_elements - 1) / update_chunk_elements;
  }

  WEIR_HOST_DEVICE UpdateChunk<Real> chunk(std::size_t index) const {
    if (chunks != nullptr) return chunks[index];
    std::size_t const begin = index == 0 ? 0 : index * update_chunk_elements - lead;
    std::size_t const end = (index + 1) * update_chunk_elements - lead;
    UpdateChunk<Real> part = whole;
    part.weights += begin;
    part.out += begin;
    part.offset = part.begin = begin;
    part.size = static_cast<std::uint32_t>((end < elements ? end : elements) - begin);
    return part;
  }

  /// The share of one of `threads` threads in a chunk.
  WEIR_HOST_DEVICE void run(UpdateChunk<Real> const& part, Step const& step, std::uint32_t thread,
                            std::uint32_t threads) const {
    Block block;
    block.rule = step.rule;
    block.weights = part.weights + shift.read;
    block.out = part.out + shift.write;
    for (int m = 0; m < Rule::moments; ++m)
      block.moments[m] = moments[m] == nullptr ? nullptr : moments[m] + part.offset;
    for (int t = 0; t < Terms; ++t) {
      block.terms[t] = terms[t] + part.offset;
      block.term_weights[t] = term_weights[t];
    }
    block.copy = nullptr;
    if (copies.by_parameter != nullptr)
      block.copy = static_cast<std::uint16_t*>(copies.by_parameter[part.parameter]) + part.begin;
    block.copy_type = copies.type;
    block.size = part.size;
    if (step.skip || (used != nullptr && used[part.parameter] == 0)) {
      block.keep(thread, threads);
    } else {
      block.update(thread, threads);
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
