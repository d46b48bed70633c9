#include "weir/pipeline/pipeline_stage.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <tuple>
#include <vector>

namespace {

struct Whole {
  int number = 0;
  void forward(int& seen) const { seen = number; }
  void backward(int&) const {}
};
struct Split {
  int number = 0;
  void forward(int& seen) const { seen = number; }
  void backward_input(int&) const {}
  void backward_weight(int&) const {}
};
struct HalfSplit {
  void forward(int&) const {}
  void backward_input(int&) const {}
};

struct Generating : Whole {
  int& generator(int&) { return number; }
};
struct GivingCopies : Whole {
  int generator(int&) { return number; }
};

template <class Model>
int seen_by(Model const& model, std::size_t stage) {
  int seen = -1;
  weir::detail::visit_stage<int>(model, stage, [&](auto& visited) { visited.forward(seen); });
  return seen;
}

}  // namespace

static_assert(weir::PipelineStage<Whole, int>);
static_assert(weir::PipelineStage<Split, int>);
static_assert(weir::SplitBackward<Split, int> && !weir::SplitBackward<Whole, int>);
static_assert(!weir::PipelineStage<HalfSplit, int>);
static_assert(weir::GeneratingStage<Generating, int> && !weir::GeneratingStage<Whole, int>);
static_assert(!weir::GeneratingStage<GivingCopies, int>);
static_assert(weir::detail::has_generator<int, Generating>() && !weir::detail::has_generator<int, Whole>());
static_assert(weir::detail::has_generator<int, std::vector<Generating>>());
static_assert(weir::detail::has_generator<int, std::tuple<Whole, Generating>>());
static_assert(!weir::detail::has_generator<int, std::tuple<Whole, Split> const>());

TEST_CASE("a model is one stage for all, a list of stages, or a tuple of them") {
  CHECK(seen_by(Whole{7}, 2) == 7);
  CHECK(seen_by(std::vector<Whole>{{1}, {2}, {3}}, 1) == 2);
  CHECK(seen_by(std::tuple{Whole{4}, Split{5}}, 1) == 5);
}
