// The bucket of weir-sparsify for gradients of 2^31 elements or more, here of a few: its indices have 64
// bits.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../../examples/apps/weir_sparsify/typed_bucket.hpp"

namespace {

using namespace weir_sparsify;

constexpr std::size_t size = 1000;

/// Magnitudes that are all different, the largest of them at the end.
float element(std::size_t i) {
  return (i % 2 == 0 ? 1.0f : -1.0f) * static_cast<float>(i + 1);
}

Gradient gradient() {
  Gradient gradient;
  gradient.size = size;
  gradient.bytes = AlignedArray<std::byte>(size * sizeof(float));
  for (std::size_t i = 0; i < size; ++i) {
    float const value = element(i);
    std::memcpy(gradient.bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return gradient;
}

template <class T>
std::vector<T> read(ArrayBytes const& array) {
  std::vector<T> values(array.size);
  REQUIRE(array.bytes.size() == array.size * sizeof(T));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

}  // namespace

TEST_CASE("64-bit indices are written as such, with the pairs and the residual that 32-bit ones have") {
  weir::ThreadTeam team(2);
  for (bool const has_feedback : {false, true}) {
    CAPTURE(has_feedback);
    Options options;
    options.density = 0.01;
    options.estimator = Estimator::topk;
    options.has_feedback = has_feedback;
    TypedBucket<float, std::uint64_t> bucket(team, options, size);
    Gradient const given = gradient();
    CHECK(bucket.step(given, 0).statistics.k_selected == 10);
    CHECK(std::string(bucket.indices().descr) == "<i8");
    std::vector<std::uint64_t> const indices = read<std::uint64_t>(bucket.indices());
    std::vector<float> const values = read<float>(bucket.values()), residual = read<float>(bucket.residual());
    REQUIRE(indices.size() == 10);
    REQUIRE(residual.size() == size);
    for (std::size_t j = 0; j < 10; ++j) {
      CHECK(indices[j] == size - 10 + j);
      CHECK(values[j] == element(size - 10 + j));
      CHECK(residual[size - 10 + j] == 0.0f);
    }
    for (std::size_t i = 0; i < size - 10; ++i) CHECK(residual[i] == element(i));
    CHECK(bucket.seconds_to_add_up(2) >= 0.0);
  }
}
