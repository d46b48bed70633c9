#include "weir/pipeline/rounded_message.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace {

template <class Narrow, class Real>
void check_rounding(weir::EdgeCodec codec) {
  std::vector<Real> const values{0, 1, Real(-0.1), Real(1.0 / 3), 70'000, Real(1e-30)};
  std::vector<std::byte> bytes(values.size() * sizeof(Real));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  CHECK(weir::detail::encoded_bytes<Real>(codec, bytes.size()) == 2 * values.size());
  weir::detail::encode<Real>(codec, bytes.data(), bytes.size());
  for (std::size_t i = 2 * values.size(); i < bytes.size(); ++i) bytes[i] = std::byte(0xee);  // is not read
  weir::detail::decode<Real>(codec, bytes.data(), bytes.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    Real value;
    std::memcpy(&value, bytes.data() + i * sizeof(Real), sizeof(Real));
    CHECK(value == static_cast<Real>(float{Narrow(static_cast<float>(values[i]))}));
  }
}

}  // namespace

TEST_CASE("numbers come back rounded to 16 bits") {
  check_rounding<weir::half, float>(weir::EdgeCodec::half);
  check_rounding<weir::half, double>(weir::EdgeCodec::half);
  check_rounding<weir::bfloat16, float>(weir::EdgeCodec::bfloat16);
  check_rounding<weir::bfloat16, double>(weir::EdgeCodec::bfloat16);
}
