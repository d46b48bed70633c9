// The fuzz targets of images without a fuzzer: files, and mutations of them that are the same in each run.
#include "image_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <string>

#include "mutator.hpp"

namespace {

/// What `mutate` makes of a text.
std::string mutated(weir_test::Mutator& mutate, std::string const& text) {
  weir_test::Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  bytes = mutate(bytes, bytes);
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::string without_path(std::string const& refusal) {
  return refusal.substr(std::min(refusal.size(), refusal.find(": ")));
}

}  // namespace

TEST_CASE("what a flip, a cut or a hostile number makes of IDX files is read or refused") {
  std::string const images = std::string("\0\0\x8\x3\0\0\0\x7\0\0\0\x2\0\0\0\x3", 16) + std::string(42, '\5');
  std::string const labels = std::string("\0\0\x8\x1\0\0\0\x7", 8) + std::string(7, '\4');
  REQUIRE(weir_test::idx_refusal(images, labels).empty());
  weir_test::Mutator mutate(1);
  std::size_t accepted = 0;
  std::set<std::string> refusals;
  for (std::size_t i = 0; i < 10'000; ++i) {
    bool const is_of_images = i % 2 == 0;
    std::string const refusal = weir_test::idx_refusal(is_of_images ? mutated(mutate, images) : images,
                                                       is_of_images ? labels : mutated(mutate, labels));
    accepted += refusal.empty() ? 1 : 0;
    refusals.insert(without_path(refusal));
  }
  CHECK(accepted > 500);
  CHECK(refusals.size() > 100);
  for (std::size_t size = 0; size < images.size(); ++size)
    CHECK_FALSE(weir_test::idx_refusal(images.substr(0, size), labels).empty());
}

TEST_CASE("what a flip, a cut or a hostile number makes of digits is read or refused") {
  std::string row;
  for (std::size_t i = 0; i < 64; ++i) row += "12,";
  row += "3\n";
  std::string rows;
  for (std::size_t i = 1; i < weir_train::Digits::rows; ++i) rows += row;
  REQUIRE(weir_test::digits_refusal(rows + row).empty());
  weir_test::Mutator mutate(1);
  std::size_t accepted = 0;
  std::set<std::string> refusals;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string const refusal = weir_test::digits_refusal(rows + mutated(mutate, row));
    accepted += refusal.empty() ? 1 : 0;
    refusals.insert(without_path(refusal));
  }
  CHECK(accepted > 0);
  CHECK(refusals.size() > 30);
}

TEST_CASE("what a flip, a cut or a hostile number makes of a batch of CIFAR-10 is read or refused") {
  std::string batch;
  for (char label = 0; label < 3; ++label) batch += label + std::string(3072, '\7');
  REQUIRE(weir_test::cifar10_refusal(batch).empty());
  weir_test::Mutator mutate(1);
  std::size_t accepted = 0;
  std::set<std::string> refusals;
  for (std::size_t i = 0; i < 2'000; ++i) {
    std::string const refusal = weir_test::cifar10_refusal(mutated(mutate, batch));
    accepted += refusal.empty() ? 1 : 0;
    refusals.insert(without_path(refusal));
  }
  CHECK(accepted > 100);
  CHECK(refusals.size() > 30);
}
