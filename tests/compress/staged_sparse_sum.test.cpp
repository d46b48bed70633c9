#include "weir/compress/staged_sparse_sum.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "support/device_like.hpp"
#include "support/ranks.hpp"

// Sums of real methods: compress/collective/on_device.test.cpp.

namespace {

/// Keeps the first of its pairs, and rejects the others.
struct KeepFirst {
  static constexpr weir::SparseMethod method = weir::SparseMethod::global_top_k;

  std::atomic<int>* failures;

  template <class Real>
  static std::size_t workspace_bytes(weir::SparseLimits const&) {
    return 0;
  }

  template <class Real, class E, class C>
  auto on(weir::SparseContext<Real, E, C> const&) const {
    return [failures = failures](E const&, weir::SparseSum<Real, weir::HostSpace> const& sum) {
      for (Real& value : sum.out) value = Real{};
      std::size_t const count = *sum.count;
      if (count > 0) sum.out[sum.indices[0]] = sum.values[0];
      if (sum.residual.empty()) return;
      for (std::size_t j = 1; j < count; ++j) sum.residual.current()[sum.indices[j]] += sum.values[j];
      if (failures->fetch_sub(1) > 0) throw std::runtime_error("a peer is gone");
    };
  }
};

using Sum = weir::SparseSum<float, weir::DeviceSpace>;

struct Bucket {
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  std::vector<float> residual;
  std::vector<float> out;
  std::uint64_t counts[2] = {0, 0};
  std::uint32_t side = 0;

  Sum sum(bool keeps = true) {
    counts[0] = counts[1] = indices.size();
    Sum sum{{indices.data(), indices.size()}, {values.data(), values.size()}, counts};
    out.assign(residual.size(), 5.0F);
    sum.out = {out.data(), out.size()};
    if (keeps) sum.residual = {residual.data(), nullptr, residual.size(), &side};
    return sum;
  }
};

template <class Function>
void with_sum(int failures, Function const& f) {
  on_ranks(1, [&](weir::ThreadCommunicator const& threads) {
    DeviceLikeExecutor const executor;
    std::atomic<int> left = failures;
    weir::detail::StagedSparseSum<KeepFirst, float, DeviceLikeExecutor, DeviceLikeCommunicator> bound(
        {executor, DeviceLikeCommunicator(threads), 4, 2}, KeepFirst{&left});
    f(bound, executor);
  });
}

}  // namespace

TEST_CASE("the sum goes back to the device, and what is rejected to the residual there") {
  with_sum(0, [](auto& bound, DeviceLikeExecutor const& executor) {
    Bucket bucket{{1, 3}, {2.0F, 4.0F}, {0.5F, 0.0F, 0.25F, 0.125F}, {}};
    for (int turn = 1; turn <= 2; ++turn) {
      bound(executor, bucket.sum());
      CHECK(bucket.out == std::vector<float>{0.0F, 2.0F, 0.0F, 0.0F});
      CHECK(bucket.residual ==
            std::vector<float>{0.5F, 0.0F, 0.25F, 0.125F + 4.0F * static_cast<float>(turn)});
    }
    bound(executor, bucket.sum(false));  // what is rejected is forgotten
    CHECK(bucket.out == std::vector<float>{0.0F, 2.0F, 0.0F, 0.0F});
    CHECK(bucket.residual[3] == 8.125F);
  });
}

TEST_CASE("more than was known when it was bound is summed, too") {
  with_sum(0, [](auto& bound, DeviceLikeExecutor const& executor) {
    for (std::size_t const size : {4u, 7u, 200u}) {
      Bucket bucket{{0, 2, 3}, {1.0F, 2.0F, 3.0F}, std::vector<float>(size), {}};
      bound(executor, bucket.sum());
      CHECK(bucket.out[0] == 1.0F);
      std::vector<float> expected(size);
      expected[2] = 2.0F;
      expected[3] = 3.0F;
      CHECK(bucket.residual == expected);
    }
  });
}

TEST_CASE("what was rejected in a sum that failed does not come back in the next one") {
  with_sum(1, [](auto& bound, DeviceLikeExecutor const& executor) {
    Bucket bucket{{1, 3}, {2.0F, 4.0F}, std::vector<float>(4), {}};
    CHECK_THROWS_WITH(bound(executor, bucket.sum()), "a peer is gone");
    bucket.values[1] = 1.0F;
    bound(executor, bucket.sum());
    CHECK(bucket.residual == std::vector<float>{0.0F, 0.0F, 0.0F, 1.0F});
  });
}
