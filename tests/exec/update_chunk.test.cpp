#include "weir/exec/update_chunk.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "host/verb_oracle.hpp"

namespace {

using Pieces = std::vector<weir::UpdatePiece<float>>;

std::vector<weir::UpdateChunk<float>> cut(Pieces const& pieces, std::size_t elements) {
  return weir::cut_into_chunks(std::span<weir::UpdatePiece<float> const>(pieces), elements);
}

}  // namespace

TEST_CASE("the chunks cover each element of each piece once, in order, whatever the sizes") {
  oracle::Numbers numbers(21);
  std::vector<float> const weights(200'000);
  std::vector<float> out(weights.size());
  for (int round = 0; round < 50; ++round) {
    std::size_t const elements = 16 * (1 + numbers.bits() % 40);
    Pieces pieces;
    std::size_t offset = 0, place = numbers.bits() % 7;
    std::size_t const count = 1 + numbers.bits() % 40;
    for (std::size_t parameter = 0; parameter < count; ++parameter) {
      std::size_t const kind = numbers.bits() % 4;
      std::size_t const size = kind == 0   ? numbers.bits() % 2
                               : kind == 1 ? numbers.bits() % 3000
                                           : numbers.bits() % 60;
      pieces.push_back({weights.data() + place, out.data() + place, size, offset, 3 * parameter});
      offset += size;
      place += size + numbers.bits() % 5;
    }
    auto const chunks = cut(pieces, elements);
    std::size_t next = 0;
    for (auto const& piece : pieces) {
      for (std::size_t begin = 0; begin < piece.size; ++next) {
        REQUIRE(next < chunks.size());
        auto const& chunk = chunks[next];
        REQUIRE(chunk.weights == piece.weights + begin);
        REQUIRE(chunk.out == piece.out + begin);
        REQUIRE(chunk.offset == piece.offset + begin);
        REQUIRE(chunk.begin == begin);
        REQUIRE(chunk.parameter == piece.parameter);
        REQUIRE(chunk.size > 0);
        REQUIRE(chunk.size <= elements);
        if (begin != 0) REQUIRE(chunk.offset % 16 == 0);
        begin += chunk.size;
        REQUIRE(begin <= piece.size);
      }
    }
    CHECK(next == chunks.size());
  }
}

TEST_CASE("a piece of nothing makes no chunk, a piece of one element one") {
  float weight = 1;
  CHECK(cut({{&weight, &weight, 0, 5, 0}}, 64).empty());
  auto const one = cut({{&weight, &weight, 1, 15, 7}}, 64);
  REQUIRE(one.size() == 1);
  CHECK(one[0].size == 1);
  CHECK(one[0].parameter == 7);
}

TEST_CASE("chunks of about the same size share out pieces of very different sizes") {
  std::vector<float> weights(1);
  Pieces pieces;
  std::size_t offset = 0;
  for (std::size_t parameter = 0; parameter < 100; ++parameter) {
    std::size_t const size = parameter % 10 == 0 ? 1'000'000 : 1000;  // never read
    pieces.push_back({weights.data(), weights.data(), size, offset, parameter});
    offset += size;
  }
  auto const chunks = cut(pieces, weir::update_chunk_elements);
  CHECK(chunks.size() <= offset / weir::update_chunk_elements + 2 * pieces.size());
}

TEST_CASE("sizes of chunks that would leave the middle of a piece unaligned are refused") {
  for (std::size_t elements : {0u, 8u, 100u})
    CHECK_THROWS_WITH_AS(cut({}, elements),
                         "cut_into_chunks: the size of a chunk has to be a multiple of 16 below 2^32",
                         weir::ContractViolation);
}
