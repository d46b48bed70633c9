#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// The weights of one parameter, and where its gradient and its moments lie in the bucket.
template <class Real>
struct UpdatePiece {
  Real const* weights = nullptr;
  Real* out = nullptr;  // may be `weights`
  std::size_t size = 0;
  std::size_t offset = 0;     // in the bucket
  std::size_t parameter = 0;  // its number, in maps by parameter
};

/// A part of a piece that one block of threads updates. A list of chunks is all that a kernel needs to find
/// its work, whatever the sizes of the pieces.
template <class Real>
struct UpdateChunk {
  Real const* weights = nullptr;
  Real* out = nullptr;
  std::size_t offset = 0;  // of the chunk in the bucket
  std::size_t begin = 0;   // of the chunk in its parameter
  std::uint32_t size = 0;
  std::uint32_t parameter = 0;
};

/// The chunks have about this many elements: 100 million parameters make 50,000 of them, and 2 MB of list.
inline constexpr std::size_t update_chunk_elements = 2048;

/// Cuts pieces into chunks of at most `elements` elements, which cover each element once. The cuts lie at
/// multiples of 16 elements of the bucket, so that only the ends of a piece are not aligned.
/// Errors: `ContractViolation` if `elements` is no multiple of 16, or there are 2^32 parameters.
template <class Real>
std::vector<UpdateChunk<Real>> cut_into_chunks(std::span<UpdatePiece<Real> const> pieces,
                                               std::size_t elements = update_chunk_elements) {
  constexpr std::size_t alignment = 16;
  if (elements == 0 || elements % alignment != 0 || elements > UINT32_MAX)
    throw ContractViolation("cut_into_chunks: the size of a chunk has to be a multiple of 16 below 2^32");
  std::vector<UpdateChunk<Real>> chunks;
  for (auto const& piece : pieces) {
    if (piece.parameter > UINT32_MAX)
      throw ContractViolation("cut_into_chunks: parameters are numbered below 2^32");
    for (std::size_t begin = 0; begin < piece.size;) {
      std::size_t const end_in_bucket = (piece.offset + begin + elements) / alignment * alignment;
      std::size_t const end =
          end_in_bucket - piece.offset < piece.size ? end_in_bucket - piece.offset : piece.size;
      chunks.push_back({piece.weights + begin, piece.out + begin, piece.offset + begin, begin,
                        static_cast<std::uint32_t>(end - begin),
                        static_cast<std::uint32_t>(piece.parameter)});
      begin = end;
    }
  }
  return chunks;
}

}  // namespace weir::inline v1
