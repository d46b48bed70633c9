// Vectors of more than 2^31 elements, where 32 bits for an index would not do.

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "equivalence/both.hpp"
#include "weir/cuda/check.hpp"

namespace {

using weir::bfloat16;
using weir::Buffer;
using weir::CudaExecutor;
using weir::DeviceSpace;

constexpr std::size_t boundary = std::size_t{1} << 31;
constexpr std::size_t size = 2'200'000'003;  // 4.4 GB of 16-bit elements
constexpr std::size_t last = 9;              // elements that are 2, where the others are 1

bool fits(std::size_t bytes) {
  std::size_t free = 0, all = 0;
  weir::check_cuda(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
  if (!small_cases_only() && free > bytes + (std::size_t{256} << 20)) return true;
  MESSAGE("skipped: it takes " << bytes << " bytes of device memory and some time, and " << free
                               << " are free");
  return false;
}

void lay_ones(CudaExecutor const& executor, weir::DeviceView<bfloat16> values) {
  fill(executor, values, bfloat16(1.0f));
  fill(executor, values.part(size - last, last), bfloat16(2.0f));
}

template <class Element>
bool is_all(CudaExecutor const& executor, weir::DeviceView<Element> values, float expected) {
  for (Element value : weir::to_host(executor, values)) {
    if (static_cast<float>(value) != expected) return false;
  }
  return true;
}

template <class Element>
void check_multiple(CudaExecutor const& executor, weir::DeviceView<Element> values, float one) {
  CHECK(is_all(executor, values.part(0, 10'000), one));
  CHECK(is_all(executor, values.part(boundary / 2 - 5'000, 10'000), one));
  CHECK(is_all(executor, values.part(boundary - 5'000, 10'000), one));
  CHECK(is_all(executor, values.part(size - 10'000, 10'000 - last), one));
  CHECK(is_all(executor, values.part(size - last, last), 2 * one));
}

}  // namespace

TEST_CASE("4.4 GB of bfloat16 are filled, copied and measured") {
  if (!fits(2 * size * sizeof(bfloat16))) return;
  CudaExecutor const executor;
  Buffer<bfloat16, CudaExecutor> const values(executor, size);
  both::Scalar<weir::Measurement> const measurement(executor, {});
  lay_ones(executor, values.view());
  check_multiple(executor, values.view(), 1.0f);
  measure(executor, values.view(), measurement.get());
  CHECK(measurement.value().sum_of_squares == static_cast<double>(size - last + 4 * last));
  CHECK(measurement.value().non_finite == 0);

  Buffer<weir::half, CudaExecutor> const halves(executor, size);
  copy(executor, values.view(), halves.view());
  check_multiple(executor, halves.view(), 1.0f);
  // Not aligned.
  measure(executor, halves.view().part(1, size - 1), measurement.get());
  CHECK(measurement.value().sum_of_squares == static_cast<double>(size - 1 - last + 4 * last));
}

TEST_CASE("4.4 GB of bfloat16 are summed in float, in each of the ways there are") {
  if (!fits(size * (sizeof(bfloat16) + sizeof(float)))) return;
  CudaExecutor const executor;
  Buffer<bfloat16, CudaExecutor> const values(executor, size);
  Buffer<float, CudaExecutor> const out(executor, size);
  both::Scalar<weir::Measurement> const measurement(executor, {});
  both::Scalar<weir::TailStatistics> const tail(executor, {});
  lay_ones(executor, values.view());
  using Term = weir::WeightedTerm<bfloat16, DeviceSpace>;
  std::vector<Term> const two{{values.view(), 1.0}, {values.view(), 2.0}};
  std::vector<Term> const nine(9, Term{values.view(), 1.0});
  double const squares = static_cast<double>(size - last + 4 * last);

  sum_weighted(executor, std::span<Term const>(two), out.view());
  check_multiple(executor, out.view(), 3.0f);
  sum_weighted(executor, std::span<Term const>(two), out.view(), {.measurement = measurement.get()});
  check_multiple(executor, out.view(), 3.0f);
  CHECK(measurement.value().sum_of_squares == 9 * squares);
  sum_weighted(executor, std::span<Term const>(nine), out.view(), {.tail = tail.get()});
  check_multiple(executor, out.view(), 9.0f);
  auto const statistics = tail.value();
  CHECK(statistics.participants == size);
  CHECK(statistics.sum == 9 * static_cast<double>(size + last));
  CHECK(statistics.smallest == 9.0);
  CHECK(statistics.largest == 18.0);
  add_scaled(executor, values.view(), 2.0f, out.view());
  check_multiple(executor, out.view(), 11.0f);

  // Aligned together with a head, and not aligned together.
  Term const shifted[] = {{values.view().part(4, size - 4), 1.0}};
  sum_weighted(executor, std::span<Term const>(shifted), out.view().part(4, size - 4));
  CHECK(is_all(executor, out.view().part(0, 4), 11.0f));
  CHECK(is_all(executor, out.view().part(size - last, last), 2.0f));
  Term const apart[] = {{values.view().part(1, size - 1), 5.0}};
  sum_weighted(executor, std::span<Term const>(apart), out.view().part(0, size - 1));
  CHECK(is_all(executor, out.view().part(boundary - 5'000, 5'000), 5.0f));
  CHECK(is_all(executor, out.view().part(size - 1 - last, last), 10.0f));
  CHECK(is_all(executor, out.view().part(size - 1, 1), 2.0f));
}
