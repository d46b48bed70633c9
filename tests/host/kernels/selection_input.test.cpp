#include "weir/host/kernels/selection_input.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

namespace detail = weir::detail;
using Input = detail::AccumulatedInput<weir::half const, float>;

struct TakeAll {
  Input input;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr std::size_t count = VectorBytes / sizeof(float);
    std::size_t i = begin;
    for (; end - i >= count; i += count) {
      weir::Lanes<float, count> values;
      input.template fetch<count>(i);
      input.template take<count>(i, values);
    }
    for (; i < end; ++i) {
      float value;
      input.template take<1>(i, value);
    }
    input.end();
  }
};

}  // namespace

TEST_CASE(
    "an accumulator is made as its rule says, and previewed, in vectors of any width, streamed or not") {
  std::size_t const size = 1000;
  oracle::Numbers numbers(1);
  auto const gradient = numbers.vector<weir::half>(size);
  auto const residual = numbers.vector<float>(size);
  weir::WeightedTerm<weir::half const, weir::HostSpace> const plain{weir::view(gradient.data(), size), 1.0};
  weir::WeightedTerm<weir::half const, weir::HostSpace> const weighted{weir::view(gradient.data(), size),
                                                                       0.3};
  for (int kind = 0; kind < 4; ++kind) {  // no residual, one, with factors, streamed
    weir::SparsifyConstants constants;
    if (kind == 2) constants.beta = 0.9;
    detail::AccumulateRule<float> const rule(constants, 1.0);
    auto const& term = kind == 2 ? weighted : plain;
    struct alignas(64) Line {
      float numbers[16];
    };
    std::vector<Line> memory(size / 16 + 1);
    float* const out = memory.front().numbers;
    Input const input{&term, 1, rule, kind == 0 ? nullptr : residual.data(), nullptr, nullptr, out};
    std::vector<float> expected(size);
    for (std::size_t i = 0; i < size; ++i) {
      float const g = oracle::times(static_cast<float>(gradient[i]), static_cast<float>(term.weight));
      expected[i] = kind == 0 ? g : rule.with_residual(g, residual[i]);
    }
    bool const streams = kind == 3;
    auto const prepared = input.prepared(streams ? std::size_t{1} << 22 : size, !streams);
    CHECK(prepared.streams == streams);
    CHECK((prepared.gradient != nullptr) == (kind == 1 || kind == 3));
    bool is_foreseen = true;
    for (std::size_t i = 0; i < size; ++i)
      is_foreseen = is_foreseen && prepared.preview(i) == expected[i] && input.preview(i) == expected[i];
    CHECK(is_foreseen);
    for (Input const& each : {input, prepared}) {
      with_each_width(
          0, size,
          [&] {
            for (std::size_t i = 0; i < size; ++i) out[i] = 77.0f;
            return TakeAll{each};
          },
          [&](char const* width) {
            CAPTURE(width);
            CHECK(oracle::same(std::vector<float>(out, out + size), expected));
          });
    }
  }
}
