// More than 2^31 elements. The memory is address space: pages that are only read are the zero page, and pages
// that are written are one small file mapped again and again, so that a few MiB are used.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "fault/sanitizers.hpp"
#include "weir/comm/even_split.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/weights.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace {

using weir::bfloat16;
using weir::BucketPlan;
using weir::ElementType;

constexpr std::size_t huge = (std::size_t{1} << 31) + 17;

/// Address space that takes memory where it is written.
class Mapping {
 public:
  explicit Mapping(std::size_t bytes)
      : bytes_(bytes),
        memory_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0)) {
    REQUIRE(memory_ != MAP_FAILED);
    ::madvise(memory_, bytes_, MADV_HUGEPAGE);  // fewer page faults, where the kernel follows the advice
  }
  Mapping(Mapping const&) = delete;
  Mapping& operator=(Mapping const&) = delete;
  ~Mapping() { ::munmap(memory_, bytes_); }

  std::byte* data() const { return static_cast<std::byte*>(memory_); }

  /// The first `bytes`, a multiple of `piece`, become one file of `piece` bytes, again and again.
  void fold(std::size_t bytes, std::size_t piece) {
    int const file = ::memfd_create("weir-test", 0);
    REQUIRE(file >= 0);
    REQUIRE(::ftruncate(file, static_cast<off_t>(piece)) == 0);
    for (std::size_t offset = 0; offset < bytes; offset += piece) {
      void* const part = ::mmap(data() + offset, piece, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, 0);
      REQUIRE(part != MAP_FAILED);
    }
    ::close(file);
  }

 private:
  std::size_t bytes_;
  void* memory_;
};

/// 2^31 + 17 elements, of which the first 2^31 share 16 MiB; the last 17 are their own.
template <class Element>
class FoldedVector {
 public:
  FoldedVector() : memory_(huge * sizeof(Element) + 4096) {
    memory_.fold((huge - tail_size) * sizeof(Element), piece);
  }
  /// All of one value but the last 17, which are `tail`.
  FoldedVector(float value, std::vector<float> const& tail) : FoldedVector() {
    std::fill_n(data(), piece / sizeof(Element), Element(value));
    write_tail(data(), tail);
  }

  static constexpr std::size_t tail_size = 17;
  static void write_tail(Element* data, std::vector<float> const& tail) {
    for (std::size_t i = 0; i < tail_size; ++i) data[huge - tail_size + i] = Element(tail[i]);
  }

  Element* data() const { return reinterpret_cast<Element*>(memory_.data()); }
  weir::TensorView<Element, weir::HostSpace> view() const { return {data(), huge}; }
  std::vector<float> tail() const {
    auto const last = view().part(huge - tail_size, tail_size);
    return {last.begin(), last.end()};
  }

  /// Whether all that this can tell is `value` up to the last 17 elements, these are `tail`, and nothing
  /// beyond has been written.
  void check(float value, std::vector<float> const& expected) const {
    auto const all = view();
    for (std::size_t i : {std::size_t{0}, piece / sizeof(Element) / 2, huge / 2, huge - tail_size - 1})
      CHECK(float(all[i]) == value);
    CHECK(tail() == expected);
    CHECK(float(data()[huge]) == 0.0f);
  }

 private:
  static constexpr std::size_t piece = std::size_t{16} << 20;

  Mapping memory_;
};

/// Seventeen different numbers.
[[maybe_unused]] std::vector<float> numbers(float first, float step) {
  std::vector<float> result;
  for (std::size_t i = 0; i < 17; ++i) result.push_back(first + step * static_cast<float>(i));
  return result;
}

}  // namespace

TEST_CASE("a bucket plan counts in 64 bits") {
  for (ElementType type : {ElementType::bfloat16, ElementType::float32, ElementType::float64}) {
    auto const plan = BucketPlan({{.elements = huge, .type = type},
                                  {.elements = 5, .type = type},
                                  {.elements = huge, .type = type},
                                  {.elements = huge, .type = type}},
                                 {{3}, {0, 1, 2}});
    CHECK(plan.elements() == 3 * huge + 5);
    CHECK(plan[1].size == 2 * huge + 5);
    CHECK(plan[1].bytes() == (2 * huge + 5) * size_of(type));
    CHECK(plan.place(2).offset == huge + 5);
    CHECK(plan[1].offset >= plan[0].bytes());
    CHECK(plan[1].offset % 64 == 0);
    CHECK(plan.gradient_bytes() >= (3 * huge + 5) * size_of(type));
  }
  auto const by_bytes = BucketPlan::by_bytes({{.elements = huge}, {.elements = huge}, {.elements = 1}},
                                             std::size_t{1} << 33, std::size_t{1} << 35);
  CHECK(by_bytes.size() == 2);
  CHECK(by_bytes[0].size == huge + 1);
}

TEST_CASE("weights of more than 2^31 elements are cut at the right addresses") {
  auto const plan = BucketPlan({{.elements = huge}, {.elements = huge}, {.elements = 3}}, {{2}, {0, 1}});
  Mapping const memory((2 * huge + 3) * sizeof(float));
  auto* const first = reinterpret_cast<float*>(memory.data());
  weir::Weights<weir::HostExecutor> const weights(weir::view(first, 2 * huge + 3), plan);
  CHECK(weights[2].data() == first + 2 * huge);
  auto const segments = weights.segments(plan, 1);
  REQUIRE(segments.size() == 1);
  CHECK(segments[0].values.data() == first);
  CHECK(segments[0].values.size() == 2 * huge);
  CHECK(weights.by_parameter(plan, 1)[1].offset == huge);
  first[2 * huge + 2] = 1.0f;
  CHECK(weights[2][2] == 1.0f);
}

TEST_CASE("ranks divide more than 2^31 elements without a gap") {
  for (std::size_t count : {huge, std::size_t{1} << 40, (std::size_t{1} << 45) + 12345}) {
    for (std::size_t ranks : {1u, 2u, 3u, 7u, 1000u}) {
      CHECK(weir::even_split(count, 0, ranks) == 0);
      CHECK(weir::even_split(count, ranks, ranks) == count);
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        std::size_t const part =
            weir::even_split(count, rank + 1, ranks) - weir::even_split(count, rank, ranks);
        CHECK(part - count / ranks <= 1);
      }
    }
  }
}

// ThreadSanitizer keeps four times the memory that a program touches, also by reading.
#if !UNDER_THREAD_SANITIZER

TEST_CASE("measure sees the last of more than 2^31 elements") {
  weir::HostExecutor const executor{{.threads = 2}};
  Mapping const memory(huge * sizeof(bfloat16));
  weir::TensorView<bfloat16, weir::HostSpace> const values{reinterpret_cast<bfloat16*>(memory.data()), huge};
  values[huge - 1] = bfloat16(std::numeric_limits<float>::quiet_NaN());
  values[huge - 2] = bfloat16(3.0f);
  values[0] = bfloat16(4.0f);
  weir::Measurement seen;
  measure(executor, values, &seen);
  executor.synchronize();
  CHECK(seen.non_finite == 1);
  CHECK(seen.sum_of_squares == 25.0);
}

TEST_CASE("fill and copy reach the last of more than 2^31 elements, and not beyond") {
  weir::HostExecutor const executor{{.threads = 2}};
  FoldedVector<bfloat16> const in, out;
  fill(executor, in.view(), bfloat16(2.0f));
  executor.synchronize();
  CHECK(float(in.view()[0]) == 2.0f);
  CHECK(float(in.view()[huge - 1]) == 2.0f);
  CHECK(float(in.view().data()[huge]) == 0.0f);

  in.view()[huge - 1] = bfloat16(5.0f);
  copy(executor, in.view(), out.view());
  executor.synchronize();
  CHECK(float(out.view()[huge - 18]) == 2.0f);
  CHECK(float(out.view()[huge - 2]) == 2.0f);
  CHECK(float(out.view()[huge - 1]) == 5.0f);
  CHECK(float(out.view().data()[huge]) == 0.0f);
}

// Without optimisation the loops of these take minutes.
#ifdef __OPTIMIZE__

TEST_CASE("sums reach the last of more than 2^31 elements, and not beyond") {
  weir::HostExecutor const executor{{.threads = 2}};
  auto const ones = numbers(1.0f, 1.0f), twos = numbers(2.0f, 2.0f);
  FoldedVector<bfloat16> const left(1.0f, ones), right(4.0f, twos);
  FoldedVector<float> const out;
  weir::WeightedTerm<bfloat16, weir::HostSpace> const terms[] = {{left.view(), 0.5}, {right.view(), -1.0}};
  sum_weighted(executor, std::span<weir::WeightedTerm<bfloat16, weir::HostSpace> const>(terms), out.view());
  executor.synchronize();
  out.check(-3.5f, numbers(-1.5f, -1.5f));

  // What is folded is added to again and again: there only zeros.
  Mapping const memory(huge * sizeof(bfloat16));
  auto* const in = reinterpret_cast<bfloat16*>(memory.data());
  FoldedVector<bfloat16>::write_tail(in, ones);
  add_scaled(executor, weir::TensorView<bfloat16 const, weir::HostSpace>(in, huge), 2.0f, out.view());
  executor.synchronize();
  out.check(-3.5f, numbers(0.5f, 0.5f));
}

TEST_CASE("updates reach the last of more than 2^31 elements, and not beyond") {
  weir::HostExecutor const executor{{.threads = 2}};
  auto const old = numbers(1.0f, 0.25f), slope = numbers(-2.0f, 0.3f);
  FoldedVector<float> const weights(2.0f, old), first, second, out;
  Mapping const memory(huge * sizeof(float));  // of zeros, so that moments that are folded stay zero
  auto* const gradient = reinterpret_cast<float*>(memory.data());
  FoldedVector<float>::write_tail(gradient, slope);
  weir::TensorView<float const, weir::HostSpace> const gradients(gradient, huge);
  weir::OptimizerState state;
  weir::InitialiseOptimizer{&state, 0.5}();
  weir::AdvanceOptimizer{&state, 0.9, 0.999, nullptr}();

  std::vector<float> expected(17), expected_first(17), expected_second(17);  // of the last 17 by themselves
  weir::SgdConstants const sgd{.momentum = 0.9};
  sgd_update(executor, weir::view(old), weir::view(expected), weir::view(slope), weir::view(expected_first),
             sgd, &state, {});
  sgd_update(executor, weights.view(), out.view(), gradients, first.view(), sgd, &state, {});
  executor.synchronize();
  CHECK(expected != old);
  out.check(2.0f, expected);
  first.check(0.0f, expected_first);

  weir::AdamConstants const adamw{.weight_decay = 0.25};
  adamw_update(executor, weir::view(old), weir::view(expected), weir::view(slope), weir::view(expected_first),
               weir::view(expected_second), adamw, &state, {});
  adamw_update(executor, weights.view(), out.view(), gradients, first.view(), second.view(), adamw, &state,
               {});
  executor.synchronize();
  out.check(2.0f - 0.5f * (0.25f * 2.0f), expected);
  first.check(0.0f, expected_first);
  second.check(0.0f, expected_second);
}

#endif

#endif
