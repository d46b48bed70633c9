#pragma once

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/comm/even_split.hpp"
#include "weir/core/half.hpp"
#include "weir/tensor/view.hpp"

// What every transport owes, written once: called on each rank with its communicator and executor.

namespace collective_cases {

/// Element `index` of rank `rank`: neither exact nor of one sign or size, so that another order of summation
/// shows.
template <class T>
T element(std::size_t rank, std::size_t index) {
  auto const mixed = static_cast<std::uint32_t>((rank + 1) * 2654435761u + index * 40503u);
  if constexpr (std::integral<T>) {
    return static_cast<T>(mixed);
  } else {
    auto const sign = (mixed & 64) == 0 ? 1.0F : -1.0F;
    auto const scale = static_cast<float>(1u << (mixed % 11));
    return static_cast<T>(sign * scale * (0.1F + static_cast<float>(mixed >> 20)));
  }
}

template <class T>
std::vector<T> elements(std::size_t rank, std::size_t count) {
  std::vector<T> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = element<T>(rank, i);
  return result;
}

template <class T>
bool same_bits(T const* left, T const* right, std::size_t count) {
  return count == 0 || std::memcmp(left, right, count * sizeof(T)) == 0;
}

/// Sums in rank order, 16-bit elements in float, rounded once.
template <class T>
T expected_sum(std::size_t ranks, std::size_t index) {
  if constexpr (sizeof(T) == 2) {
    float sum = element<T>(0, index);
    for (std::size_t rank = 1; rank < ranks; ++rank) sum += static_cast<float>(element<T>(rank, index));
    return static_cast<T>(sum);
  } else if constexpr (std::integral<T>) {
    std::make_unsigned_t<T> sum = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      sum += static_cast<std::make_unsigned_t<T>>(element<T>(rank, index));
    }
    return static_cast<T>(sum);
  } else {
    T sum = element<T>(0, index);
    for (std::size_t rank = 1; rank < ranks; ++rank) sum += element<T>(rank, index);
    return sum;
  }
}

template <class T>
std::vector<T> expected_sums(std::size_t ranks, std::size_t count) {
  std::vector<T> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = expected_sum<T>(ranks, i);
  return result;
}

/// A view that begins `offset` elements into its memory, with elements behind it that nobody may touch.
template <class T>
struct Guarded {
  Guarded(std::size_t first, std::vector<T> const& content)
      : memory(first + content.size() + 8, guard()), offset(first), count(content.size()) {
    if (count > 0) std::memcpy(memory.data() + offset, content.data(), count * sizeof(T));
  }

  static T guard() { return static_cast<T>(77); }
  weir::TensorView<T, weir::HostSpace> view() { return {memory.data() + offset, count}; }

  bool is_intact() const {
    T const expected = guard();
    for (std::size_t i = 0; i < memory.size(); ++i) {
      bool const is_inside = i >= offset && i < offset + count;
      if (!is_inside && !same_bits(&memory[i], &expected, 1)) return false;
    }
    return true;
  }

  std::vector<T> memory;
  std::size_t offset;
  std::size_t count;
};

template <class T, class C, class E>
void all_reduce_sums(C const& communicator, E const& executor, std::size_t offset, std::size_t count) {
  Guarded<T> data(offset, elements<T>(communicator.rank(), count));
  communicator.all_reduce(executor, data.view());
  executor.synchronize();
  CHECK(same_bits(data.view().data(), expected_sums<T>(communicator.size(), count).data(), count));
  CHECK(data.is_intact());
}

template <class T, class C, class E>
void all_gather_collects(C const& communicator, E const& executor, std::size_t offset, std::size_t count) {
  Guarded<T> block(offset, elements<T>(communicator.rank(), count));
  Guarded<T> all(offset, std::vector<T>(count * communicator.size()));
  communicator.all_gather(executor, block.view(), all.view());
  executor.synchronize();
  for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
    CHECK(same_bits(all.view().data() + rank * count, elements<T>(rank, count).data(), count));
  }
  CHECK(block.is_intact());
  CHECK(all.is_intact());
}

template <class T, class C, class E>
void all_gather_works_in_place(C const& communicator, E const& executor, std::size_t count) {
  std::vector<T> all(count * communicator.size());
  auto const own = weir::view(all).part(communicator.rank() * count, count);
  for (std::size_t i = 0; i < count; ++i) own[i] = element<T>(communicator.rank(), i);
  communicator.all_gather(executor, own, weir::view(all));
  executor.synchronize();
  for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
    CHECK(same_bits(all.data() + rank * count, elements<T>(rank, count).data(), count));
  }
}

template <class T, class C, class E>
void reduce_scatter_gives_even_parts(C const& communicator, E const& executor, std::size_t offset,
                                     std::size_t count) {
  std::size_t const begin = weir::even_split(count, communicator.rank(), communicator.size());
  std::size_t const end = weir::even_split(count, communicator.rank() + 1, communicator.size());
  Guarded<T> all(offset, elements<T>(communicator.rank(), count));
  Guarded<T> part(offset, std::vector<T>(end - begin));
  communicator.reduce_scatter(executor, all.view(), part.view());
  executor.synchronize();
  CHECK(same_bits(part.view().data(), expected_sums<T>(communicator.size(), count).data() + begin,
                  end - begin));
  CHECK(same_bits(all.view().data(), elements<T>(communicator.rank(), count).data(), count));
  CHECK(part.is_intact());
}

/// Rank 0 gets nothing, the last rank gets what is left, and the part lies in the whole.
template <class T, class C, class E>
void reduce_scatter_takes_boundaries_in_place(C const& communicator, E const& executor, std::size_t count) {
  std::vector<std::size_t> boundaries(communicator.size() + 1, 0);
  for (std::size_t rank = 1; rank < communicator.size(); ++rank)
    boundaries[rank] = (rank - 1) * count / 7 % count;
  boundaries.back() = count;
  auto all = elements<T>(communicator.rank(), count);
  std::size_t const begin = boundaries[communicator.rank()];
  auto const part = weir::view(all).part(begin, boundaries[communicator.rank() + 1] - begin);
  communicator.reduce_scatter(executor, weir::view(all), part, weir::ReduceOp::sum, boundaries);
  executor.synchronize();
  CHECK(same_bits(part.data(), expected_sums<T>(communicator.size(), count).data() + begin, part.size()));
}

template <class T, class C, class E>
void broadcast_copies(C const& communicator, E const& executor, std::size_t offset, std::size_t count) {
  for (std::size_t root = 0; root < communicator.size(); ++root) {
    Guarded<T> data(offset, elements<T>(communicator.rank(), count));
    communicator.broadcast(executor, data.view(), root);
    executor.synchronize();
    CHECK(same_bits(data.view().data(), elements<T>(root, count).data(), count));
    CHECK(data.is_intact());
  }
}

/// Everybody sends two messages to the next rank, the larger one first, and receives from the one before.
template <class T, class C, class E>
void exchange_goes_round(C const& communicator, E const& executor, std::size_t count) {
  std::size_t const size = communicator.size();
  std::size_t const next = (communicator.rank() + 1) % size;
  std::size_t const previous = (communicator.rank() + size - 1) % size;
  auto const large = elements<T>(communicator.rank(), count);
  auto const small = elements<T>(communicator.rank() + 100, count / 2);
  std::vector<T> received_large(count);
  std::vector<T> received_small(count / 2);
  weir::TransferGroup<weir::HostSpace> group;
  group.receive(weir::view(received_large), previous);
  group.send(weir::view(large), next);
  group.send(weir::view(small), next);
  group.receive(weir::view(received_small), previous);
  for (int repetition = 0; repetition < 3; ++repetition) {
    received_large.assign(count, T{});
    received_small.assign(count / 2, T{});
    communicator.exchange(executor, group.transfers());
    executor.synchronize();
    CHECK(same_bits(received_large.data(), elements<T>(previous, count).data(), count));
    CHECK(same_bits(received_small.data(), elements<T>(previous + 100, count / 2).data(), count / 2));
  }
}

template <class C, class E>
void operators_combine(C const& communicator, E const& executor) {
  auto const rank = static_cast<std::int64_t>(communicator.rank());
  auto const last = static_cast<std::int64_t>(communicator.size()) - 1;
  std::vector<std::int64_t> largest{rank, -rank};
  std::vector<std::int64_t> smallest{rank, -rank};
  std::vector<std::uint32_t> bits{1u << rank, 1u << 31};
  std::vector<weir::half> halves{weir::half(static_cast<float>(rank)), weir::half(-2.0F)};
  communicator.all_reduce(executor, weir::view(largest), weir::ReduceOp::max);
  communicator.all_reduce(executor, weir::view(smallest), weir::ReduceOp::min);
  communicator.all_reduce(executor, weir::view(bits), weir::ReduceOp::bit_or);
  communicator.all_reduce(executor, weir::view(halves), weir::ReduceOp::max);
  executor.synchronize();
  CHECK(largest == std::vector<std::int64_t>{last, 0});
  CHECK(smallest == std::vector<std::int64_t>{0, -last});
  CHECK(bits == std::vector<std::uint32_t>{(1u << (last + 1)) - 1, 1u << 31});
  CHECK(static_cast<float>(halves[0]) == static_cast<float>(last));
  CHECK(static_cast<float>(halves[1]) == -2.0F);
}

template <class C, class E>
void everything(C const& communicator, E const& executor, std::size_t offset, std::size_t count) {
  all_reduce_sums<float>(communicator, executor, offset, count);
  all_gather_collects<float>(communicator, executor, offset, count);
  reduce_scatter_gives_even_parts<float>(communicator, executor, offset, count);
  broadcast_copies<std::uint8_t>(communicator, executor, offset, count);
}

template <class T, class C, class E>
void all_of_type(C const& communicator, E const& executor, std::size_t count) {
  all_reduce_sums<T>(communicator, executor, 1, count);
  all_gather_collects<T>(communicator, executor, 1, count);
  all_gather_works_in_place<T>(communicator, executor, count);
  reduce_scatter_gives_even_parts<T>(communicator, executor, 1, count);
  reduce_scatter_takes_boundaries_in_place<T>(communicator, executor, count);
  broadcast_copies<T>(communicator, executor, 1, count);
  exchange_goes_round<T>(communicator, executor, count);
}

template <class C, class E>
void all_types(C const& communicator, E const& executor, std::size_t count) {
  all_of_type<float>(communicator, executor, count);
  all_of_type<double>(communicator, executor, count);
  all_of_type<weir::half>(communicator, executor, count);
  all_of_type<weir::bfloat16>(communicator, executor, count);
  all_of_type<std::int32_t>(communicator, executor, count);
  all_of_type<std::uint32_t>(communicator, executor, count);
  all_of_type<std::int64_t>(communicator, executor, count);
  all_of_type<std::uint64_t>(communicator, executor, count);
}

}  // namespace collective_cases
