// A unit of its own: what asks about executors first, then the executor.
#include "weir/exec/vocabulary.hpp"
//
#include "weir/comm/concepts.hpp"
//
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
//
#include "exec/two_units.hpp"

namespace {
struct UnitB {};
}  // namespace

std::vector<bool> beliefs_of_the_other_unit() {
  return Beliefs<weir::HostExecutor, UnitB>::all();
}

std::vector<float> train_in_the_other_unit(weir::HostExecutor const& executor) {
  return train_two_steps(executor);
}
