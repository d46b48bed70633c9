// The fuzz target without a fuzzer: .npy files, and mutations of them that are the same in each run.
#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mutator.hpp"
#include "npy_input.hpp"

namespace {

using weir_test::Bytes;
using weir_test::bytes_of;
using weir_test::text_of;

std::string file(std::string const& dictionary, std::size_t data, bool is_version_2 = false) {
  std::string text("\x93NUMPY", 6);
  text += is_version_2 ? std::string("\2\0", 2) : std::string("\1\0", 2);
  std::size_t size = dictionary.size() + 1;
  for (int i = 0; i < (is_version_2 ? 4 : 2); ++i, size /= 256) text += static_cast<char>(size % 256);
  return text + dictionary + "\n" + std::string(data, '\7');
}

struct Seed {
  std::string dictionary;
  std::size_t data;  // bytes
};

std::vector<Seed> seeds() {
  return {{"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", 24},
          {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   ", 24},
          {"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8},
          {"{'descr': '<f2', 'fortran_order': False, 'shape': (0, 7), }", 0},
          {"{'shape':(3,),'descr':\"<u2\",'fortran_order':False}", 6},
          {"{'descr': '>f4', 'fortran_order': True, 'shape': (-1, 4294967296, 4294967296)}", 24},
          {"{'descr': [('a', '<i4'), ('b', '|b1')], 'fortran_order': False, 'shape': (2,), }", 10}};
}

}  // namespace

TEST_CASE("what a flip, a cut or a hostile number makes of .npy files is read or refused") {
  auto const all = seeds();
  weir_test::Mutator mutate(1);
  std::size_t accepted = 0;
  std::set<std::string> refusals;
  auto const read = [&](std::string const& bytes) {
    for (bool const is_bfloat16 : {false, true}) {
      std::string const refusal = weir_test::refusal(bytes, is_bfloat16);
      refusals.insert(refusal);
      accepted += refusal.empty() ? 1 : 0;
    }
  };
  for (std::size_t i = 0; i < 10'000; ++i) {
    Seed const& seed = all[i % all.size()];
    Seed const& other = all[i * 5 % all.size()];
    bool const is_version_2 = i % 2 == 1;
    Bytes const whole = bytes_of(file(seed.dictionary, seed.data, is_version_2));
    read(text_of(mutate(whole, bytes_of(file(other.dictionary, other.data)))));
    // No mutation puts the length right as well.
    Bytes const dictionary = mutate(bytes_of(seed.dictionary), bytes_of(other.dictionary));
    read(file(text_of(dictionary), seed.data, is_version_2));
  }
  CHECK(accepted > 80);
  CHECK(refusals.size() > 300);
}

TEST_CASE("every beginning of a .npy file is refused") {
  for (Seed const& seed : seeds()) {
    std::string const whole = file(seed.dictionary, seed.data);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK_FALSE(weir_test::refusal(whole.substr(0, size), true).empty());
      CHECK_FALSE(weir_test::refusal(whole.substr(0, size), false).empty());
    }
  }
}

TEST_CASE("a header that is written is the one that is read") {
  for (std::size_t const size : {0u, 1u, 9u, 1000u}) {
    std::string const header = weir_sparsify::npy_header("<f8", size);
    CHECK(header.size() % 64 == 0);
    std::string const bytes = header + std::string(8 * size, '\1');
    weir_sparsify::NpyContent const content = weir_sparsify::parse_npy(bytes, false);
    CHECK(content.type == weir::ElementType::float64);
    CHECK(content.size == size);
    CHECK(content.shape.dimensions == 1);
    CHECK(content.shape.sides[0] == size);
    std::string const matrix = weir_sparsify::npy_header("<f4", size, 3) + std::string(12 * size, '\1');
    weir_sparsify::NpyShape const shape = weir_sparsify::parse_npy(matrix, false).shape;
    CHECK(shape.dimensions == 2);
    CHECK(shape.sides[0] == size);
    CHECK(shape.sides[1] == 3);
  }
}
