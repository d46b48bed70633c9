#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/update_case.hpp"
#include "weir/cuda/kernels/update_pass.cuh"

// What the threads of a block do, one after another on this processor.

namespace {

template <int Terms, class Rule, class Real, class Element>
void run(UpdateCase<Real, Element>& all, UpdateSettings const& settings, auto const& constants,
         bool has_velocity, std::size_t chunk_size) {
  auto const state = update_state();
  auto const chunks =
      all.chunks(all.weights.data(), settings.in_place ? all.weights.data() : all.out.data(), chunk_size);
  auto const pointers = all.copy_pointers(all.copies.data());
  weir::detail::UpdateWork<Rule, Element, Terms> work{};
  work.chunks = chunks.data();
  work.moments[0] = has_velocity ? all.first.data() + all.bucket_offset() : nullptr;
  if constexpr (Rule::moments == 2) work.moments[1] = all.second.data() + all.bucket_offset();
  for (int t = 0; t < Terms; ++t) {
    work.terms[t] = all.gradients[t].data() + all.bucket_offset();
    work.term_weights[t] = static_cast<Real>(all.term_weights[t]);
  }
  work.constants = constants;
  work.state = &state;
  work.scale = {0.5, &settings.control};
  if (settings.with_used) work.used = all.used.data();
  if (settings.with_copies) work.copies = {pointers.data(), settings.copy_type};
  constexpr std::uint32_t threads = 24;
  for (std::size_t index = 0; index < chunks.size(); ++index) {
    auto const step = work.step();
    for (std::uint32_t thread = threads; thread-- > 0;) work.run(work.chunk(index), step, thread, threads);
  }
}

/// Pieces of many sizes, arrays that begin anywhere.
template <int Terms, class Rule, class Element>
void check(auto const& constants, bool has_velocity, UpdateSettings const& settings) {
  using Real = typename Rule::Real;
  std::vector<std::size_t> const sizes = {1, 0, 300, 3, 64, 2500, 17, 16, 5};
  std::size_t const phases[] = {0, 1, 4, 7};
  for (std::size_t bucket : phases) {
    for (std::size_t weights : phases) {
      UpdatePhases const layout{bucket, weights, (bucket + 2 * weights) % 5};
      CAPTURE(bucket);
      CAPTURE(weights);
      UpdateCase<Real, Element> expected(sizes, Terms, layout, 3), found(sizes, Terms, layout, 3);
      update_by_hand(expected, settings, constants, has_velocity);
      run<Terms, Rule>(found, settings, constants, has_velocity, bucket == 4 ? 64 : 2048);
      CHECK(same(found, expected));
    }
  }
}

template <class Real, class Element>
void check_rules(UpdateSettings const& settings) {
  check<1, weir::SgdRule<Real>, Element>(weir::SgdConstants{}, false, settings);
  check<3, weir::SgdRule<Real>, Element>(weir::SgdConstants{0.9, 0.01, true}, true, settings);
  check<8, weir::SgdRule<Real>, Element>(weir::SgdConstants{0.9, 0.0, false}, true, settings);
  check<1, weir::AdamWRule<Real>, Element>(weir::AdamConstants{}, true, settings);
  check<2, weir::AdamWRule<Real>, Element>(weir::AdamConstants{}, true, settings);
  check<5, weir::AdamWRule<Real>, Element>(weir::AdamConstants{}, true, settings);
}

}  // namespace

TEST_CASE("the threads of a block together do what plain loops do, whatever the alignment of the arrays") {
  check_rules<float, float>({});
  check_rules<float, weir::half>({.with_copies = true});
  check_rules<float, weir::bfloat16>({.with_copies = true, .copy_type = weir::ElementType::float16});
  check_rules<double, double>({.in_place = false});
}

TEST_CASE("a skipped step and unused parameters keep their bits, and the copies follow the weights") {
  check_rules<float, float>({.in_place = false, .with_used = true, .with_copies = true});
  check_rules<float, float>({.with_used = true, .control = {.factor = 0.25}});
  check_rules<float, float>({.in_place = false, .with_copies = true, .control = {.skip = 1}});
  check_rules<float, float>({.control = {.skip = 1}});
}

TEST_CASE("one row of weights is cut into chunks that cover each element once") {
  using Work = weir::detail::UpdateWork<weir::SgdRule<float>, float, 1>;
  std::vector<float> const memory(10'000);
  for (std::size_t size : {1u, 3u, 2047u, 2048u, 2049u, 4093u, 10'000u}) {
    for (std::uint32_t lead : {0u, 1u, 3u}) {
      Work work{};
      work.whole.weights = memory.data();
      work.elements = size;
      work.lead = lead;
      std::size_t next = 0;
      for (std::size_t index = 0; index < work.own_chunks(); ++index) {
        auto const chunk = work.chunk(index);
        CHECK(chunk.weights == memory.data() + next);
        CHECK(chunk.offset == next);
        CHECK(chunk.size > 0);
        CHECK(chunk.size <= weir::update_chunk_elements);
        if (index != 0) CHECK((next + lead) % weir::update_chunk_elements == 0);
        next += chunk.size;
      }
      CHECK(next == size);
    }
  }
}
