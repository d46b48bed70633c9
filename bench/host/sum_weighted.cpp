// The sum of k buckets, beside a plain copy and beside what a trainer would write instead: k - 1 additions.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <span>
#include <vector>

#include "copy_roof.hpp"
#include "weir/core/half.hpp"
#include "weir/host/executor.hpp"

namespace {

constexpr std::size_t bucket_bytes = 25'000'000;

template <class Element>
struct Buckets {
  Buckets(std::size_t count, std::size_t size) : storage(count, std::vector<Element>(size, Element(1.0f))) {
    for (auto const& bucket : storage) terms.push_back({weir::view(bucket.data(), size), 0.25});
  }

  std::vector<std::vector<Element>> storage;
  std::vector<weir::WeightedTerm<Element, weir::HostSpace>> terms;
  std::span<weir::WeightedTerm<Element, weir::HostSpace> const> span() const { return terms; }
};

weir::HostExecutor executor_for(benchmark::State const& state) {
  return weir::HostExecutor{{.threads = static_cast<std::size_t>(state.range(0))}};
}

void in_place(benchmark::State& state, std::size_t count, weir::SumEpilogue epilogue) {
  auto const executor = executor_for(state);
  Buckets<float> buckets(count, bucket_bytes / sizeof(float));
  against_copy(state, executor, bucket_bytes, (count + 1) * bucket_bytes,
               [&] { sum_weighted(executor, buckets.span(), weir::view(buckets.storage[0]), epilogue); });
}

void sum_of_2(benchmark::State& state) {
  in_place(state, 2, {});
}
void sum_of_4(benchmark::State& state) {
  in_place(state, 4, {});
}
void sum_of_8(benchmark::State& state) {
  in_place(state, 8, {});
}

void sum_of_4_measured(benchmark::State& state) {
  weir::Measurement measurement;
  in_place(state, 4, {&measurement});
}

void sum_of_4_bfloat16(benchmark::State& state) {
  auto const executor = executor_for(state);
  std::size_t const size = bucket_bytes / sizeof(weir::bfloat16);
  Buckets<weir::bfloat16> buckets(4, size);
  std::vector<float> out(size);
  against_copy(state, executor, bucket_bytes, 6 * bucket_bytes,
               [&] { sum_weighted(executor, buckets.span(), weir::view(out)); });
}

/// Bytes that the sum would have had to move, so that the bandwidths compare as the times do.
void serial_additions_of_4(benchmark::State& state) {
  auto const executor = executor_for(state);
  Buckets<float> buckets(4, bucket_bytes / sizeof(float));
  against_copy(state, executor, bucket_bytes, 5 * bucket_bytes, [&] {
    for (std::size_t term = 1; term < 4; ++term) {
      add_scaled(executor, weir::view(buckets.storage[term]), 1.0f, weir::view(buckets.storage[0]));
    }
  });
}

BENCHMARK(sum_of_2)->Apply(thread_counts);
BENCHMARK(sum_of_4)->Apply(thread_counts);
BENCHMARK(sum_of_8)->Apply(thread_counts);
BENCHMARK(sum_of_4_measured)->Apply(thread_counts);
BENCHMARK(sum_of_4_bfloat16)->Apply(thread_counts);
BENCHMARK(serial_additions_of_4)->Apply(thread_counts);

}  // namespace

BENCHMARK_MAIN();
