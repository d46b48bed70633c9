#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/collective/sparse_ranks.hpp"
#include "support/bits.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/threads.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

namespace nccl_ranks {

template <class T>
weir::Buffer<T, weir::CudaExecutor> on_device(weir::CudaExecutor const& executor,
                                              std::vector<T> const& values) {
  weir::Buffer<T, weir::CudaExecutor> buffer(executor, values.size());
  from_host(executor, std::span<T const>(values), buffer.view());
  return buffer;
}

/// Sums twice on a device what a rank has selected; by hand, as a recipe does it.
template <class Real, class Policy>
Outcome<Real> sum_on_device(weir::CudaExecutor const& executor, weir::NcclCommunicator const& communicator,
                            Selected<Real> const& mine, Policy const& policy, std::size_t capacity) {
  auto indices_of = mine.indices;
  auto values_of = mine.values;
  indices_of.resize(capacity);
  values_of.resize(capacity, Real{1e30F});
  auto const indices = on_device(executor, indices_of);
  auto const values = on_device(executor, values_of);
  auto const counts = on_device(executor, std::vector<std::uint64_t>(2, mine.indices.size()));
  auto const side = on_device(executor, std::vector<std::uint32_t>{1});
  std::size_t const elements = mine.residual.size();
  auto bound = policy.on(weir::SparseContext<Real, weir::CudaExecutor, weir::NcclCommunicator>{
      executor, communicator, elements, capacity});
  Outcome<Real> outcome;
  for (int turn = 0; turn < 2; ++turn) {
    auto const residual = on_device(executor, mine.residual);
    auto const out = on_device(executor, std::vector<Real>(elements, Real{77}));
    weir::SparseSum<Real, weir::DeviceSpace> sum{indices.view(), values.view(), counts.data()};
    sum.out = out.view();
    sum.residual = {residual.data(), residual.data(), elements, side.data()};
    bound(executor, sum);
    outcome = {to_host(executor, out.view()), to_host(executor, residual.view())};
  }
  return outcome;
}

/// That devices sum and keep what hosts do, `policy_of` all ranks.
template <class Real, class PolicyOf>
void check_sums_of(std::vector<Selected<Real>> const& of_rank, PolicyOf const& policy_of,
                   std::size_t capacity) {
  std::vector<Outcome<Real>> expected(of_rank.size());
  ::on_ranks(of_rank.size(), [&](weir::ThreadCommunicator const& world) {
    expected[world.rank()] = sum_on(world, of_rank[world.rank()], policy_of(world), {.capacity = capacity});
  });
  on_ranks(of_rank.size(), [&](weir::NcclCommunicator const& world, weir::CudaExecutor const& executor) {
    auto const outcome = sum_on_device(executor, world, of_rank[world.rank()], policy_of(world), capacity);
    CHECK(same_bits(outcome.sum, expected[world.rank()].sum));
    CHECK(same_bits(outcome.residual, expected[world.rank()].residual));
  });
}

}  // namespace nccl_ranks
