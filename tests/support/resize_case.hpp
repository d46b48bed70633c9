#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/rank_run.hpp"

namespace resize_case {

using Layouts = std::vector<weir::WorkLayout>;  // by rank

/// Three ranks; a group of two takes the first two of each.
inline std::vector<Layouts> three_ranks() {
  return {
      {{2, 1, 3}, {1, 4, 3}, {3, 2, 3}},
      {{5, 4, 3}, {1, 1, 3}, {1, 2, 3}},
      {{2, 2, 3}, {1, 1, 3}, {4, 1, 3}},  // rank 1 as before
      {{2, 2, 5}, {1, 1, 5}, {4, 1, 5}},  // another local batch
  };
}

inline std::size_t micro_batches_before(Layouts const& layouts, std::size_t rank) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < rank; ++i) count += layouts[i].workers * layouts[i].micro_batches;
  return count;
}

/// On each rank of a communicator: trains, and resizes again and again. From each resize on a run goes as one
/// that is made anew with those layouts and takes up the checkpoint, and its gradient is that of one big
/// batch. `stages(communicator, kept)` follow the sum over workers and put each gradient into `kept`.
template <class Communicator, class MakeStages>
void check(Communicator const& communicator, MakeStages const& stages) {
  std::size_t const rank = communicator.rank();
  std::vector<float> gradient;
  std::vector<float> gradient_of_fresh;
  auto all = three_ranks();
  for (Layouts& layouts : all) layouts.resize(communicator.size());
  RankRun run(all[0][rank], stages(communicator, gradient));
  run.train(3);
  for (std::size_t change = 1; change < all.size(); ++change) {
    CAPTURE(change);
    Layouts const& layouts = all[change];
    std::size_t const local_batch = layouts[rank].local_batch;
    run.sync.resize(layouts[rank]);
    weir::Archive const archive = run.saved();
    CHECK(run.sync.ranks().rank == rank);
    CHECK(run.sync.ranks().first_micro_batch() == micro_batches_before(layouts, rank));
    CHECK(run.sync.ranks().total_micro_batches() == micro_batches_before(layouts, layouts.size()));

    auto const weights = run.weights;
    auto const batch = run.next_batch();
    run.train(1);
    CHECK(network::relative_error(weights, batch, local_batch, gradient) <= 1e-6);
    auto const weights_of_ragged = run.weights;
    auto const ragged = run.next_batch(local_batch + 1);
    run.train(1, local_batch + 1);
    CHECK(network::relative_error(weights_of_ragged, ragged, local_batch, gradient) <= 1e-6);
    run.train(2);

    RankRun fresh(layouts[rank], stages(communicator, gradient_of_fresh));
    fresh.sync.load(archive);
    CHECK(same_bits(fresh.weights, weights));
    fresh.train(1);
    fresh.train(1, local_batch + 1);
    CHECK(same_bits(fresh.weights, run.weights) == false);  // two steps behind
    fresh.train(2);
    CHECK(same_bits(fresh.weights, run.weights));
    CHECK(same_bits(gradient_of_fresh, gradient));
    CHECK(fresh.sync.steps() == run.sync.steps());
    CHECK(fresh.sync.consumed() == run.sync.consumed());
  }
}

}  // namespace resize_case
