#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/comm/wait_for_ranks.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// How much the ranks have selected at most, where the counts lie in a device's memory.
///
/// Streams: the caller waits for the device and for the other ranks, so it cannot be captured. Errors: those
/// of the communicator.
template <StagingBackend E, GatheringCommunicator<E, std::uint64_t> C>
class DeviceCounts {
 public:
  DeviceCounts(E const& executor, C const& communicator)
      : communicator_(communicator),
        gathered_(executor, communicator.size()),
        counts_(executor.host_memory(), communicator.size()) {
    if constexpr (ReservingCommunicator<C, E>)
      communicator_.reserve(executor, gathered_.size() * sizeof(std::uint64_t));
  }

  std::size_t largest(E const& point, std::uint64_t const* count) {
    communicator_.all_gather(point, ViewOn<std::uint64_t const, E>(count, 1), gathered_.view());
    copy_to_host(point, gathered_.data(), counts_.data(), counts_.size() * sizeof(std::uint64_t));
    wait_for_ranks(point, communicator_);
    std::uint64_t largest = 0;
    for (std::uint64_t const of_rank : counts_.view()) largest = largest < of_rank ? of_rank : largest;
    return largest;
  }

 private:
  C communicator_;
  Buffer<std::uint64_t, E> gathered_;
  Buffer<std::uint64_t, decltype(std::declval<E const&>().host_memory())> counts_;
};

}  // namespace weir::inline v1::detail
