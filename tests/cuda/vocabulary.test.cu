#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/cuda/graph.hpp"
#include "weir/cuda/vocabulary.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

namespace {

using weir::Buffer;
using weir::CudaExecutor;
using weir::DeviceSpace;
using Term = weir::WeightedTerm<float, DeviceSpace>;

std::span<Term const> span(std::vector<Term> const& terms) {
  return terms;
}

template <class Call>
void refuses(Call const& call, std::string const& verb, std::string const& word = "") {
  std::string text = "nothing was thrown";
  try {
    call();
  } catch (weir::ContractViolation const& violation) {
    text = violation.what();
  }
  CHECK_MESSAGE(text.starts_with(verb + ": "), text);
  CHECK_MESSAGE(text.find(word) != std::string::npos, text);
}

}  // namespace

TEST_CASE("a wrong call is refused before anything is enqueued, with the verb and what was wrong") {
  CudaExecutor const executor;
  Buffer<float, CudaExecutor> const memory(executor, 100), other(executor, 6);
  Buffer<weir::Measurement, CudaExecutor> const measurement(executor, 1);
  auto const five = memory.view().part(0, 5), beside = memory.view().part(1, 5), six = other.view();
  refuses([&] { copy(executor, five, six); }, "copy", "6");
  refuses([&] { copy(executor, five, beside); }, "copy", "overlaps");
  refuses([&] { add_scaled(executor, five, 1.0f, six); }, "add_scaled", "6");
  refuses([&] { add_scaled(executor, five, 1.0f, beside); }, "add_scaled", "overlaps");
  refuses([&] { measure(executor, five, nullptr); }, "measure", "null");
  refuses([&] { clear_if(executor, five, nullptr); }, "clear_if", "null");
  refuses([&] { sum_weighted(executor, std::span<Term const>(), five); }, "sum_weighted", "terms");
  std::vector<Term> const one{{five, 1.0}};
  refuses([&] { sum_weighted(executor, span(one), six); }, "sum_weighted", "6");
  refuses([&] { sum_weighted(executor, span(one), beside); }, "sum_weighted", "overlaps");
  refuses([&] { sum_weighted(executor, span(one), five, {.residual = beside.data()}); }, "sum_weighted",
          "residual");
  std::vector<Term> many(65, Term{six, 1.0});
  refuses([&] { sum_weighted(executor, span(many), six); }, "sum_weighted", "64");
  many.assign(65, Term{five, 1.0});
  auto const apart = memory.view().part(50, 5);
  refuses([&] { sum_weighted(executor, span(many), apart, {.residual = apart.data()}); }, "sum_weighted",
          "64");
  executor.synchronize();
}

TEST_CASE("empty views are no work, but their measurement is one") {
  CudaExecutor const executor;
  weir::DeviceView<float> const nothing;
  Buffer<weir::Measurement, CudaExecutor> const measurement(executor, 2);
  Buffer<weir::TailStatistics, CudaExecutor> const tail(executor, 1);
  fill(executor, nothing, 1.0f);
  set_zero(executor, nothing);
  copy(executor, nothing, nothing);
  add_scaled(executor, nothing, 1.0f, nothing);
  measure(executor, nothing, measurement.data());
  std::vector<Term> const one{{nothing, 1.0}};
  sum_weighted(executor, span(one), nothing);
  sum_weighted(executor, span(one), nothing, {.measurement = measurement.data() + 1, .tail = tail.data()});
  for (auto const& result : weir::to_host(executor, measurement.view())) {
    CHECK(result.sum_of_squares == 0);
    CHECK(result.non_finite == 0);
  }
  CHECK(weir::to_host(executor, tail.view())[0].participants == 0);
}

TEST_CASE("verbs are captured, and each replay gives the bits of a call") {
  CudaExecutor const executor;
  std::size_t const size = 3'000'001;
  Buffer<float, CudaExecutor> const one(executor, size), other(executor, size), out(executor, size);
  Buffer<weir::Measurement, CudaExecutor> const measurement(executor, 2);
  Buffer<weir::TailStatistics, CudaExecutor> const tail(executor, 1);
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = 1.0f / static_cast<float>(i % 1013 + 1);
  weir::from_host(executor, std::span<float const>(values), one.view());
  fill(executor, other.view(), 0.3f);
  auto const work = [&] {
    std::vector<Term> const terms{{one.view(), 0.7}, {other.view(), 1.0}};  // read at the call
    sum_weighted(executor, span(terms), out.view(), {.measurement = measurement.data(), .tail = tail.data()});
    add_scaled(executor, one.view(), 0.1f, out.view());
    measure(executor, out.view(), measurement.data() + 1);
  };
  work();
  auto const expected = weir::to_host(executor, measurement.view());
  auto const expected_tail = weir::to_host(executor, tail.view())[0];
  auto const graph = weir::CudaGraph::capture(executor, work);
  for (int replay = 0; replay < 100; ++replay) {
    set_zero(executor, out.view());
    graph.replay();
    auto const result = weir::to_host(executor, measurement.view());
    CHECK(result[0].sum_of_squares == expected[0].sum_of_squares);
    CHECK(result[1].sum_of_squares == expected[1].sum_of_squares);
    auto const statistics = weir::to_host(executor, tail.view())[0];
    CHECK(statistics.sum == expected_tail.sum);
    CHECK(statistics.squared_deviations == expected_tail.squared_deviations);
    CHECK(statistics.sum_of_logarithms == expected_tail.sum_of_logarithms);
  }
}

TEST_CASE("executors measure at the same time, each with its own scratch memory") {
  std::vector<CudaExecutor> executors(4);
  std::size_t const size = 2'000'000;
  Buffer<float, CudaExecutor> const values(executors[0], size);
  fill(executors[0], values.view(), 0.1f);
  executors[0].synchronize();
  Buffer<weir::Measurement, CudaExecutor> const measurements(executors[0], executors.size());
  for (int repeat = 0; repeat < 50; ++repeat) {
    for (std::size_t i = 0; i < executors.size(); ++i) {
      measure(executors[i], values.view().part(0, size - i * 4096), measurements.data() + i);
    }
  }
  for (auto const& executor : executors) executor.synchronize();
  auto const results = weir::to_host(executors[0], measurements.view());
  for (std::size_t i = 0; i < executors.size(); ++i) {
    CAPTURE(i);
    double const square = static_cast<double>(0.1f) * static_cast<double>(0.1f);
    CHECK(results[i].sum_of_squares ==
          doctest::Approx(square * static_cast<double>(size - i * 4096)).epsilon(1e-13));
  }
}
