// Device memory over ranks that meet in host memory: as many as there are devices, at least two, which then
// share one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/counting_communicator.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/cuda/on_device.hpp"
#include "support/cuda/seeded_model.cuh"
#include "support/cuda/test_size.hpp"
#include "support/uneven_ranks.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using weir::CudaExecutor;
using weir::ThreadCommunicator;
using Staged = weir::StagedCommunicator<ThreadCommunicator>;

int devices() {
  int count = 0;
  cudaGetDeviceCount(&count);
  return count;
}
std::size_t const ranks = static_cast<std::size_t>(std::max(2, devices()));

/// Runs `f(communicator, executor)` on each of `size` ranks.
template <class Function>
void on_ranks(weir::StagingOptions const& staging, weir::CudaOptions const& options, Function const& f,
              std::size_t size = ranks) {
  auto const group = ThreadCommunicator::group(size);
  auto const failures = on_rank_threads(size, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank) % devices());
    f(Staged(group[rank], staging), CudaExecutor(options));
  });
  for (auto const& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

constexpr weir::StagingOptions small_chunks{4096};

}  // namespace

TEST_CASE("staged on a device: collectives of any length have the bits of a sum in rank order") {
  for (bool const launch_thread : {false, true}) {
    on_ranks(small_chunks, {.launch_thread = launch_thread},
             [](Staged const& communicator, CudaExecutor const& executor) {
               for (std::size_t const count : {0u, 1u, 1'023u, 100'003u}) {
                 Mirrored const mirrored(communicator);
                 collective_cases::everything(mirrored, executor, 1, count);
                 collective_cases::all_reduce_sums<weir::bfloat16>(mirrored, executor, 0, count);
                 collective_cases::exchange_goes_round<float>(mirrored, executor, count);
                 executor.synchronize();
               }
             });
  }
}

TEST_CASE("staged on a device: every chunk comes after what was enqueued before, and before what follows") {
  std::size_t const count = case_size(10'000'019, 100'003);
  std::vector<float> expected(count);
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) sum += collective_cases::element<float>(rank, i) + 1.0f;
    expected[i] = sum - 1.0f;
  }
  on_ranks({count / 10}, {}, [&](Staged const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, collective_cases::elements<float>(communicator.rank(), count));
    OnDevice const ones(executor, std::vector<float>(count, 1.0f));
    add_scaled(executor, ones.view(), 1.0f, data.view());
    communicator.all_reduce(executor, data.view());
    add_scaled(executor, ones.view(), -1.0f, data.view());
    CHECK(same_bits(data.content(), expected));
  });
}

TEST_CASE("staged on a device: ranks train with the bits of the host") {
  auto const recipe = [](auto const& communicator) {
    return weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
           weir::Sgd{{.learning_rate = 0.125, .momentum = 0.9}};
  };
  seeded::Training const training{.workers = 2, .micro_batches = 2, .of_others = 4 * (ranks - 1), .steps = 5};
  std::vector<float> expected;
  on_all_thread_ranks(ranks, [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
    auto const weights = seeded::train(executor, recipe(communicator), training);
    if (communicator.rank() == 0) expected = weights;
  });
  for (bool const launch_thread : {false, true}) {
    on_ranks(small_chunks, {.launch_thread = launch_thread},
             [&](Staged const& communicator, CudaExecutor const& executor) {
               CHECK(same_bits(seeded::train(executor, recipe(communicator), training), expected));
             });
  }
}

TEST_CASE("staged on a device: so do ranks of 1 to 6 micro-batches, full or ragged") {
  auto const recipe = [](auto const& communicator, std::size_t m) {
    return weir::GradAccumulator{m} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
           weir::UsedParameters{communicator} |
           weir::Sgd{{.learning_rate = 0.125, .momentum = 0.9, .weight_decay = 1e-3}};
  };
  constexpr std::size_t total = uneven_ranks::total_micro_batches;
  for (std::size_t const local_batch : {1u, 3u, 8u}) {
    for (std::size_t const missing : {std::size_t{0}, std::size_t{1}, 5 * local_batch + 1}) {
      CAPTURE(local_batch);
      CAPTURE(missing);
      auto const training_of = [&](std::size_t rank) {
        auto const [workers, m] = uneven_ranks::layouts[rank];
        return seeded::Training{.workers = workers,
                                .micro_batches = m,
                                .local_batch = local_batch,
                                .of_others = total - workers * m,
                                .missing = missing,
                                .is_partial = true};
      };
      auto const train = [&](auto const& communicator, auto const& executor) {
        auto const training = training_of(communicator.rank());
        return seeded::train(executor, recipe(communicator, training.micro_batches), training);
      };
      std::vector<float> expected;
      on_all_thread_ranks(uneven_ranks::count, [&](auto const& communicator, auto const& executor) {
        auto const weights = train(communicator, executor);
        if (communicator.rank() == 0) expected = weights;
      });
      on_ranks(
          small_chunks, {},
          [&](Staged const& communicator, CudaExecutor const& executor) {
            CHECK(same_bits(train(communicator, executor), expected));
          },
          uneven_ranks::count);
    }
  }
}

TEST_CASE("staged on a device: one collective for each bucket and step, in bucket order") {
  auto const buckets = seeded::plan();
  std::vector<std::vector<std::size_t>> reduced(ranks);  // elements, by rank
  std::vector<std::size_t> expected;
  seeded::Training const training{
      .workers = 3, .micro_batches = 3, .of_others = 9 * (ranks - 1), .steps = 20};
  for (std::size_t step = 0; step < training.steps; ++step) {
    for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) expected.push_back(buckets[bucket].size);
  }
  auto const group = ThreadCommunicator::group(ranks);
  auto const failures = on_rank_threads(ranks, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank) % devices());
    auto const note = [&mine = reduced[rank]](std::size_t elements) { mine.push_back(elements); };
    weir::StagedCommunicator const communicator(CountingCommunicator(group[rank], note));
    auto const recipe = weir::GradAccumulator{3} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                        weir::Sgd{{.learning_rate = 0.125}};
    seeded::train(CudaExecutor(), recipe, training);
    CHECK(reduced[rank] == expected);
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}
