#include "weir/compress/joint_top_k.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "comm/thread_ranks.hpp"

namespace {

template <class Real>
void check(std::size_t count, std::size_t k, bool integers) {
  std::mt19937 random(static_cast<std::uint32_t>(count + k));
  std::normal_distribution<double> normal;
  std::vector<Real> values(count);
  for (Real& value : values)
    value = static_cast<Real>(integers ? std::round(2 * normal(random)) : normal(random));
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return std::abs(values[a]) > std::abs(values[b]); });
  std::vector<std::uint8_t> expected(count, 0);
  for (std::size_t i = 0; i < std::min(k, count); ++i) expected[order[i]] = 1;

  std::vector<std::uint8_t> taken(count, 2);
  on_all_thread_ranks(3, [&](weir::ThreadCommunicator const& communicator,
                             weir::HostExecutor const& executor) {
    weir::detail::PairExchange<weir::ThreadCommunicator, weir::HostExecutor> exchange(executor, communicator);
    weir::detail::JointTopK<Real, weir::HostExecutor> joint(executor);
    std::size_t const begin = count * communicator.rank() / 3;
    std::size_t const end = count * (communicator.rank() + 1) / 3;
    std::vector<std::uint32_t> const unused(count);
    executor.submit([&](weir::HostExecutor const& point) {
      for (int turn = 0; turn < 2; ++turn) {
        joint.search(exchange, point, {unused.data(), values.data() + begin, end - begin}, k);
        for (std::size_t i = begin; i < end; ++i) taken[i] = joint.takes(values[i]) ? 1 : 0;
      }
    });
    executor.synchronize();
  });
  CHECK(taken == expected);
}

}  // namespace

TEST_CASE("the k largest of all ranks are taken, of equal ones the first") {
  for (std::size_t const count : {0u, 1u, 2u, 40u, 500u}) {
    for (std::size_t const k : {0u, 1u, 7u, 39u, 40u, 1000u}) {
      check<float>(count, k, true);
      check<float>(count, k, false);
      check<double>(count, k, false);
    }
  }
}
