#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

/// An order in which a worker reports 4 buckets.
using BucketOrder = std::array<std::size_t, 4>;

/// All of them.
inline std::vector<BucketOrder> const& bucket_orders() {
  static std::vector<BucketOrder> const orders = [] {
    std::vector<BucketOrder> all;
    BucketOrder order = {0, 1, 2, 3};
    do {
      all.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    return all;
  }();
  return orders;
}

/// The steps in which 3 workers report in all orders, each beside all orders of the others.
constexpr std::size_t steps_of_all_orders = 24 * 24 * 24;

/// The order of one of the 3 workers in one of those steps.
inline BucketOrder const& bucket_order(std::uint64_t step, std::size_t worker) {
  std::uint64_t const number[] = {step, step / 24, step / (24 * 24)};
  return bucket_orders()[number[worker % 3] % 24];
}
