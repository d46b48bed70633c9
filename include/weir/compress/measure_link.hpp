#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/compress/cost_table.hpp"
#include "weir/compress/median_time.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

struct MeasureLinkOptions {
  std::size_t bytes =
      std::size_t{4} << 20;  // that each rank sends to each other, where bytes are what counts
  std::size_t warmup = 2;
  std::size_t repetitions = 9;
};

/// What a gather of one block of each rank has taken. Units: bytes, seconds.
struct GatherTime {
  std::size_t bytes = 0;  // of a block
  double seconds = 0.0;
};

/// The link over which all-gathers of two sizes take that long by the cost table; nothing is below 0.
inline Link link_of(std::size_t ranks, GatherTime const& small, GatherTime const& large) {
  double const others = static_cast<double>(ranks) - 1.0;
  double const bytes = static_cast<double>(large.bytes) - static_cast<double>(small.bytes);
  double const beta = (large.seconds - small.seconds) / (others * bytes);
  Link link{0.0, beta > 0.0 ? beta : 0.0};
  double const alone = small.seconds - others * static_cast<double>(small.bytes) * link.beta;
  if (alone > 0.0) link.alpha = alone / static_cast<double>(rounds_of_doubling(ranks));
  return link;
}

/// Times all-gathers of one word and of many, which is what sparse sums are made of, and finds the link over
/// which they would take as long by the cost table. All ranks call it and get the same: the medians of the
/// slowest rank.
///
/// Blocks. Cost: `repetitions + warmup` gathers of each size; (P + 1) blocks of memory. Errors:
/// `ContractViolation` for a single rank, no repetition, or fewer than 16 bytes; `OutOfMemory`; those of the
/// communicator.
template <TransferringBackend E, GatheringCommunicator<E, std::uint64_t> C>
Link measure_link(E const& executor, C const& communicator, MeasureLinkOptions const& options = {}) {
  std::size_t const ranks = communicator.size();
  std::size_t const words = options.bytes / sizeof(std::uint64_t);
  if (ranks < 2) throw ContractViolation("measure_link: a single rank; two or more would be right");
  if (options.repetitions == 0)
    throw ContractViolation("measure_link: 0 repetitions; at least 1 would be right");
  if (words < 2)
    throw ContractViolation("measure_link: " + std::to_string(options.bytes) +
                            " bytes; at least 16 would be right");
  Buffer<std::uint64_t, E> const block(executor, words);
  Buffer<std::uint64_t, E> const all(executor, ranks * words);
  if constexpr (ReservingCommunicator<C, E>)
    communicator.reserve(executor, all.size() * sizeof(std::uint64_t));
  std::vector<std::uint64_t> const zeros(words);
  from_host(executor, std::span<std::uint64_t const>(zeros), block.view());

  auto const gather = [&](std::size_t count) {
    communicator.all_gather(executor, ViewOn<std::uint64_t const, E>(block.view().part(0, count)),
                            all.view().part(0, ranks * count));
    executor.synchronize();
  };
  auto const median = [&](std::size_t count) {
    return static_cast<std::uint64_t>(detail::median_time(options.warmup, options.repetitions, [&] {
      gather(1);  // so that all ranks start together
      std::int64_t const begin = now();
      gather(count);
      return now() - begin;
    }));
  };
  std::uint64_t const mine[2] = {median(1), median(words)};
  from_host(executor, std::span<std::uint64_t const>(mine), block.view().part(0, 2));
  gather(2);
  std::vector<std::uint64_t> const of_ranks = to_host(executor, all.view().part(0, 2 * ranks));
  std::uint64_t slowest[2] = {0, 0};
  for (std::size_t i = 0; i < of_ranks.size(); ++i)
    if (slowest[i % 2] < of_ranks[i]) slowest[i % 2] = of_ranks[i];
  return link_of(ranks, {sizeof(std::uint64_t), static_cast<double>(slowest[0]) * 1e-9},
                 {words * sizeof(std::uint64_t), static_cast<double>(slowest[1]) * 1e-9});
}

}  // namespace weir::inline v1
