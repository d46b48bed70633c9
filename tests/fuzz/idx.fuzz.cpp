// libFuzzer: any two files are either refused with one line or are the images and labels that they say they
// are. `./dev check` runs it; image_files.test.cpp does without a fuzzer.
//
// The first byte says where the labels begin, in sixteenths of the rest. Each input is tried as it is and
// once more with the magic numbers put right.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "image_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const input(reinterpret_cast<char const*>(data) + 1, size - 1);
  std::size_t const middle = input.size() * (data[0] % 16) / 16;
  std::string images(input.substr(0, middle)), labels(input.substr(middle));
  weir_test::idx_refusal(images, labels);
  if (images.size() < 16 || labels.size() < 8) return 0;
  images.replace(0, 4, "\0\0\x8\x3", 4);
  labels.replace(0, 4, "\0\0\x8\x1", 4);
  weir_test::idx_refusal(images, labels);
  // The numbers put right as well, as far as they can be: a column of pixels.
  auto const put = [](std::string& file, std::size_t at, std::size_t number) {
    for (std::size_t byte = 4; byte-- > 0; number /= 256) file[at + byte] = static_cast<char>(number % 256);
  };
  put(images, 4, labels.size() - 8);
  put(labels, 4, labels.size() - 8);
  weir_test::idx_refusal(images, labels);
  return 0;
}
