#include "weir/host/kernels/scatter.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace {
namespace detail = weir::detail;

struct Slots {
  explicit Slots(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      indices.push_back(static_cast<std::uint32_t>(7 * i + i % 5));
      values.push_back(0.1f * static_cast<float>(i + 1));
    }
  }
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  std::size_t size() const { return indices.size(); }
};
}  // namespace

TEST_CASE("slots are scattered to, gathered from and cleared, by any number of threads") {
  for (std::size_t count : {0u, 1u, 15u, 16u, 17u, 4096u, 10'000u}) {
    Slots const slots(count);
    for (std::size_t threads : {1u, 3u}) {
      weir::ThreadTeam team(threads);
      std::vector<float> out(7 * count + 12, 1.0f), expected = out;
      for (std::size_t i = 0; i < count; ++i) expected[slots.indices[i]] += slots.values[i];
      detail::scatter_add(team, slots.indices.data(), slots.values.data(), count, out.data());
      CHECK(out == expected);
      auto values = slots.values;
      for (std::size_t i = 0; i < count; i += 3) values[i] = -std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < count; ++i) expected[slots.indices[i]] += i % 3 == 0 ? 0.0f : values[i];
      detail::scatter_add_finite(team, slots.indices.data(), values.data(), count, out.data());
      CHECK(out == expected);
      std::vector<float> taken(count), there(count);
      for (std::size_t i = 0; i < count; ++i) there[i] = out[slots.indices[i]];
      detail::gather(team, static_cast<float const*>(out.data()), slots.indices.data(), count, taken.data());
      CHECK(taken == there);
      detail::zero_at(team, slots.indices.data(), count, out.data());
      for (std::size_t i = 0; i < count; ++i) expected[slots.indices[i]] = 0.0f;
      CHECK(out == expected);
    }
  }
}

TEST_CASE("what is sent and what stays are the accumulator, also where 16 bits are sent") {
  Slots const slots(5000);
  weir::ThreadTeam team(2);
  for (bool rounds : {false, true}) {
    weir::SparsifyConstants constants;
    constants.rounds_values = rounds;
    constants.precision = weir::ElementType::float16;
    auto values = slots.values;
    values[3] = 1e6f;
    values[4] = std::numeric_limits<float>::infinity();
    std::vector<float> accumulator(7 * slots.size() + 12, 0.5f), momentum(accumulator.size(), 2.0f);
    for (std::size_t i = 0; i < slots.size(); ++i) accumulator[slots.indices[i]] = values[i];
    auto residual = accumulator;
    detail::commit_sent(team, slots.indices.data(), values.data(), slots.size(), constants, residual.data(),
                        momentum.data());
    CHECK(values[3] == (rounds ? 65504.0f : 1e6f));
    CHECK(residual[slots.indices[4]] == 0.0f);
    bool is_conserved = true, is_masked = true, was_rounded = false;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      std::size_t const slot = slots.indices[i];
      is_conserved = is_conserved && values[i] + residual[slot] == accumulator[slot];
      is_masked = is_masked && momentum[slot] == 0.0f;
      was_rounded = was_rounded || residual[slot] != 0.0f;
      accumulator[slot] = residual[slot];
    }
    CHECK(is_conserved);
    CHECK(is_masked);
    CHECK(was_rounded == rounds);
    CHECK(residual == accumulator);
  }
}

TEST_CASE("a memory of differences gains what is sent") {
  weir::ThreadTeam team(1);
  std::vector<std::uint32_t> const indices{1, 2};
  std::vector<float> values{3.0f, -4.0f}, memory{1.0f, 1.0f, 1.0f};
  weir::SparsifyConstants constants;
  constants.feedback = weir::FeedbackKind::differences;
  detail::commit_sent<std::uint32_t, float>(team, indices.data(), values.data(), 2, constants, memory.data(),
                                            nullptr);
  CHECK(memory == std::vector<float>{1.0f, 4.0f, -3.0f});
}

TEST_CASE("what is not finite becomes +0, the rest stays") {
  weir::ThreadTeam team(2);
  std::vector<float> values(100'000, -1.5f);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  values[99'999] = -std::numeric_limits<float>::infinity();
  detail::clear_non_finite(team, values.data(), values.size());
  std::vector<float> expected(100'000, -1.5f);
  expected[7] = expected[99'999] = 0.0f;
  CHECK(values == expected);
}
