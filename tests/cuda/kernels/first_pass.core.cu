#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "support/sparse_bucket.hpp"
#include "weir/cuda/kernels/first_pass.cuh"

namespace {

using weir::detail::FirstPassMode;
using weir::detail::FirstPassNeed;

/// A bucket without feedback, and what its first pass finds.
struct Pass {
  std::vector<float> values;
  std::vector<std::uint64_t> scratch;
  weir::ThresholdState state;
  weir::detail::DeviceWork<float> work{};
  weir::detail::DeviceTerms<float, float> terms{};

  explicit Pass(std::vector<float> data, double density) : values(std::move(data)) {
    weir::InitialiseThreshold{&state, density}();
    work.layout = weir::detail::SparsifyLayout::of(values.size());
    scratch.assign(work.layout.bytes(sizeof(float)) / 8 + 1, ~std::uint64_t{0});
    work.scratch = reinterpret_cast<std::byte*>(scratch.data());
    work.state = &state;
    work.accumulator = values.data();
    work.is_given = true;
    work.need = FirstPassNeed::ranks;
    terms = {{values.data()}, {1.0f}, 1};
  }

  FirstPassMode prepare() {
    auto const memory = std::make_unique<weir::detail::PrepareMemory<float>>();
    weir::detail::Preparation<float, float, std::uint32_t>(work, terms, *memory).run(play::Block{});
    return work.header().mode;
  }
};

}  // namespace

TEST_CASE("a sample gives a guard that a little more than is wanted lies above") {
  for (double const density : {0.001, 0.01, 0.1}) {
    std::size_t const size = 1 << 20;
    for (std::uint64_t const seed : {1u, 2u, 3u}) {
      Pass pass(weir_test::Draws(seed).laplace(size), density);
      CHECK(pass.prepare() == FirstPassMode::candidates);
      for (unsigned index : {2u, 0u, 1u}) {
        weir::detail::run_first_pass<4, false>(play::Block{}, pass.work, pass.terms, nullptr, index, 3);
      }
      std::uint64_t found = 0;
      for (std::size_t unit = 0; unit < pass.work.layout.units; ++unit) found += pass.work.found()[unit];
      auto const wanted = static_cast<double>(weir::slots_of(density, size));
      CHECK(static_cast<double>(found) > wanted);
      CHECK(static_cast<double>(found) < 5.0 * wanted + 5000.0);
      CHECK(pass.work.header().participants == size);
    }
  }
}

TEST_CASE("what the pass does follows from the policy, the state and the control") {
  Pass pass(weir_test::Draws(4).laplace(5000), 0.01);
  CHECK(pass.prepare() == FirstPassMode::census);  // too small for a guess
  pass.work.need = FirstPassNeed::moments;
  CHECK(pass.prepare() == FirstPassMode::moments);
  pass.work.constants.reuse.interval = 4;
  CHECK(pass.prepare() == FirstPassMode::moments);
  pass.state.restart_if_changed(5000, pass.work.constants.stages);
  pass.state.keep(2.5, 1.0, 0.02, false);
  CHECK(pass.prepare() == FirstPassMode::candidates);
  CHECK(pass.work.header().guard == weir::MagnitudeKey<float>::of(2.5f));
  weir::TailStatistics tail;
  pass.work.tail = &tail;
  CHECK(pass.prepare() == FirstPassMode::moments);
  pass.work.part = weir::SparsifyPart::select;
  CHECK(pass.prepare() == FirstPassMode::given);
  pass.work.part = weir::SparsifyPart::whole;
  weir::GradientControl const skip{.factor = 1.0, .skip = 1};
  pass.work.scale = {1.0, &skip};
  tail.participants = 3;
  CHECK(pass.prepare() == FirstPassMode::skipped);
  CHECK(tail.participants == 0);
}
