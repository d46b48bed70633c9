#include <doctest/doctest.h>

#include <vector>

#include "support/ranks.hpp"
#include "support/resize_case.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

/// Over two and three ranks on threads.
template <class Optimizer>
void check_ranks(Optimizer const& optimizer) {
  auto const stages = [&](weir::ThreadCommunicator const& communicator, std::vector<float>& kept) {
    return weir::AllReduce{communicator} | KeepGradient{kept} | optimizer;
  };
  for (std::size_t ranks : {2u, 3u}) {
    CAPTURE(ranks);
    on_ranks(ranks,
             [&](weir::ThreadCommunicator const& communicator) { resize_case::check(communicator, stages); });
  }
}

}  // namespace

TEST_CASE("ranks that are resized, or stay as they are, go on as fresh runs from the checkpoint do") {
  check_ranks(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check_ranks(weir::AdamW{{.learning_rate = 0.01}});
  for (auto policy :
       {weir::WeightPolicy::shared, weir::WeightPolicy::sequential, weir::WeightPolicy::overlap})
    check_ranks(weir::WeightSync{policy, weir::AdamW{{.learning_rate = 0.01}}});
}

TEST_CASE("ranks that are resized go on knowing which parameters are used") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    resize_case::check(communicator, [](auto const& group, std::vector<float>& kept) {
      return weir::AllReduce{group} | weir::UsedParameters{group} | KeepGradient{kept} |
             weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
    });
  });
}

TEST_CASE("a resize that is refused on one rank is made good by one that is not") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    std::vector<float> kept;
    auto const stages =
        weir::AllReduce{communicator} | KeepGradient{kept} | weir::Sgd{{.learning_rate = 0.1}};
    RankRun run({2, 1, 3}, stages);
    run.train(1);
    if (communicator.rank() == 1) CHECK_THROWS_AS(run.sync.resize({0, 1, 3}), weir::ContractViolation);
    run.sync.resize({3, 1, 3});
    auto const weights = run.weights;
    auto const batch = run.next_batch();
    CHECK(run.sync.ranks().total_micro_batches() == 6);
    run.train(1);
    CHECK(network::relative_error(weights, batch, 3, kept) <= 1e-6);
  });
}
