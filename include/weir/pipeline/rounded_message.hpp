#pragma once

#include <cstddef>
#include <cstring>

#include "weir/core/half.hpp"
#include "weir/pipeline/edge_codec.hpp"

namespace weir::inline v1::detail {

constexpr bool rounds(EdgeCodec codec) {
  return codec == EdgeCodec::half || codec == EdgeCodec::bfloat16;
}

/// Units: bytes.
template <class Real>
constexpr std::size_t encoded_bytes(EdgeCodec codec, std::size_t bytes) {
  return rounds(codec) ? bytes / sizeof(Real) * 2 : bytes;
}

template <class Real, class Narrow>
void encode_as(std::byte* data, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes / sizeof(Real); ++i) {
    Real value;
    std::memcpy(&value, data + i * sizeof(Real), sizeof(Real));
    Narrow const narrow(static_cast<float>(value));
    std::memcpy(data + i * sizeof(Narrow), &narrow, sizeof(Narrow));
  }
}

template <class Real, class Narrow>
void decode_as(std::byte* data, std::size_t bytes) noexcept {
  for (std::size_t i = bytes / sizeof(Real); i-- > 0;) {
    Narrow narrow;
    std::memcpy(&narrow, data + i * sizeof(Narrow), sizeof(Narrow));
    Real const value = static_cast<Real>(float{narrow});
    std::memcpy(data + i * sizeof(Real), &value, sizeof(Real));
  }
}

/// In place, from the front; `bytes` are those of the numbers as they are.
template <class Real>
void encode(EdgeCodec codec, std::byte* data, std::size_t bytes) noexcept {
  if (codec == EdgeCodec::half) encode_as<Real, half>(data, bytes);
  if (codec == EdgeCodec::bfloat16) encode_as<Real, bfloat16>(data, bytes);
}

/// In place, from the back.
template <class Real>
void decode(EdgeCodec codec, std::byte* data, std::size_t bytes) noexcept {
  if (codec == EdgeCodec::half) decode_as<Real, half>(data, bytes);
  if (codec == EdgeCodec::bfloat16) decode_as<Real, bfloat16>(data, bytes);
}

}  // namespace weir::inline v1::detail
