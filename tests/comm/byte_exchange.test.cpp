#include "weir/comm/byte_exchange.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "weir/comm/file_exchange.hpp"

namespace {

struct WithoutRank {
  void operator()(std::span<std::byte>) const {}
};
static_assert(weir::ByteExchange<weir::FileByteExchange>);
static_assert(weir::ByteExchange<weir::FileByteExchange const&>);
static_assert(!weir::ByteExchange<WithoutRank>);

template <weir::ByteExchange Exchange>
void call(Exchange&& exchange, std::size_t rank, std::span<std::byte> bytes) {
  exchange(rank, bytes);
}

}  // namespace

TEST_CASE("a lambda is a byte exchange") {
  std::array<std::byte, 2> of_rank_0{std::byte{1}, std::byte{2}};
  std::array<std::byte, 2> mine{};
  auto const exchange = [&](std::size_t rank, std::span<std::byte> bytes) {
    if (rank != 0) std::copy(of_rank_0.begin(), of_rank_0.end(), bytes.begin());
  };
  call(exchange, 1, mine);
  CHECK(mine == of_rank_0);
}
