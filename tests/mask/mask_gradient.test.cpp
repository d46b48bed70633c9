#include "weir/mask/mask_gradient.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/clear_dead.hpp"
#include "weir/host/executor.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// Every gradient is 1.
struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t p = 0; p < 3; ++p) {
      for (float& g : micro.gradient(p)) g = 1.0f;
    }
  }
};

TEST_CASE("dead weights of dense matrices stay zero, other parameters are left alone") {
  weir::HostExecutor const exec;
  weir::BIBDMask<weir::AnyDesign> const one({.outputs = 12, .inputs = 20, .density = 0.25});
  weir::BIBDMask<weir::AnyDesign> const other(
      {.family = "random", .outputs = 6, .inputs = 12, .density = 0.3});
  auto const plan = weir::BucketPlan::per_parameter({{.elements = 240}, {.elements = 5}, {.elements = 72}});
  std::vector<float> weights(317);
  weir::StreamWorkerPool pool{exec, {.workers = 2, .buckets = plan}};
  auto sync = (weir::LocalAggregator{} | weir::MaskGradient({{0, one}, {2, other}}) |
               weir::Sgd{{.learning_rate = 0.5, .momentum = 0.9, .weight_decay = 0.1}})
                  .on(pool, weir::view(weights));
  Model const model;
  std::vector<int> const samples(2);
  for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  for (std::size_t i = 0; i < 240; ++i) CHECK((weights[i] != 0.0f) == one.contains(i / 20, i % 20));
  for (std::size_t i = 240; i < 245; ++i) CHECK(weights[i] != 0.0f);
  for (std::size_t i = 0; i < 72; ++i) CHECK((weights[245 + i] != 0.0f) == other.contains(i / 12, i % 12));
}

/// Masks the second of three parameters and checks what is left of its gradient.
template <class Design>
void check_design(Design const& design) {
  weir::HostExecutor const exec;
  weir::BIBDMask<Design> const mask(design);
  std::size_t const size = mask.outputs() * mask.inputs();
  auto const plan =
      weir::BucketPlan::per_parameter({{.elements = size + 1}, {.elements = size}, {.elements = 3}});
  weir::StreamWorkerPool pool{exec, {.workers = 1, .buckets = plan}};
  Model const model;
  std::vector<int> const samples(1);
  auto const check = [&](auto const& stage) {
    std::vector<float> weights(plan.elements());
    auto sync =
        (weir::LocalAggregator{} | stage | weir::Sgd{{.learning_rate = 0.5}}).on(pool, weir::view(weights));
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    for (std::size_t i = 0; i <= size; ++i) CHECK(weights[i] != 0.0f);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < size; ++i) {
      bool const is_live = mask.contains(i / mask.inputs(), i % mask.inputs());
      wrong += (weights[size + 1 + i] != 0.0f) != is_live ? 1 : 0;
    }
    CHECK(wrong == 0);
  };
  check(weir::MaskGradient{mask});
  check(weir::MaskGradient{std::vector{weir::MaskedParameter{1, mask}}});
}

TEST_CASE("the mask is of any design") {
  check_design(weir::GroupDesign{{.outputs = 30, .inputs = 20, .group = 4}});
  check_design(weir::CyclicDesign(7, {1, 2, 4}));
  check_design(weir::AffineGeometry(4));
  check_design(weir::SteinerTripleSystem(13));
  check_design(weir::PaleyDesign(27));
  check_design(weir::IndexedDesign<std::uint16_t>::of(weir::PaleyDesign(7)));
  check_design(weir::dual(weir::AffineGeometry(3)));
  check_design(weir::complement(weir::CyclicDesign(7, {1, 2, 4})));
  check_design(
      weir::BIBDMask<weir::AnyDesign>({.outputs = 24, .inputs = 40, .density = 0.25, .block = 4}).design());
}

TEST_CASE("masks of several types follow each other") {
  weir::HostExecutor const exec;
  weir::BIBDMask const one(weir::PaleyDesign(7));
  weir::BIBDMask const other(weir::AffineGeometry(3));
  auto const plan = weir::BucketPlan::per_parameter({{.elements = 49}, {.elements = 5}, {.elements = 108}});
  std::vector<float> weights(plan.elements());
  weir::StreamWorkerPool pool{exec, {.workers = 1, .buckets = plan}};
  auto sync = (weir::LocalAggregator{} | weir::MaskGradient{one} | weir::MaskGradient{other} |
               weir::Sgd{{.learning_rate = 0.5}})
                  .on(pool, weir::view(weights));
  Model const model;
  std::vector<int> const samples(1);
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  for (std::size_t i = 0; i < 49; ++i) CHECK((weights[i] != 0.0f) == one.contains(i / 7, i % 7));
  for (std::size_t i = 0; i < 108; ++i) CHECK((weights[54 + i] != 0.0f) == other.contains(i / 9, i % 9));
}

TEST_CASE("a mask alone needs one parameter of its size") {
  weir::HostExecutor const exec;
  weir::BIBDMask const mask(weir::PaleyDesign(7));
  std::vector<float> weights(98);
  weir::StreamWorkerPool two{
      exec, {.workers = 1, .buckets = weir::BucketPlan::per_parameter({{.elements = 49}, {.elements = 49}})}};
  CHECK_THROWS_WITH_AS(
      (weir::LocalAggregator{} | weir::MaskGradient{mask} | weir::Sgd{{}}).on(two, weir::view(weights)),
      "MaskGradient: 2 parameters have 49 elements, as many as the mask has positions; one "
      "would be right, or a list that says which is masked",
      weir::ContractViolation);
  weir::StreamWorkerPool none{exec,
                              {.workers = 1, .buckets = weir::BucketPlan::per_parameter({{.elements = 98}})}};
  CHECK_THROWS_AS(
      (weir::LocalAggregator{} | weir::MaskGradient{mask} | weir::Sgd{{}}).on(none, weir::view(weights)),
      weir::ContractViolation);
}

TEST_CASE("a parameter of another size is refused when the recipe is bound") {
  weir::HostExecutor const exec;
  weir::BIBDMask<weir::AnyDesign> const mask({.outputs = 12, .inputs = 20});
  std::vector<float> weights(239);
  weir::StreamWorkerPool pool{
      exec, {.workers = 1, .buckets = weir::BucketPlan::per_parameter({{.elements = 239}})}};
  CHECK_THROWS_AS((weir::LocalAggregator{} | weir::MaskGradient({{0, mask}}) | weir::Sgd{{}})
                      .on(pool, weir::view(weights)),
                  weir::ContractViolation);
}

}  // namespace
