// libFuzzer: any bytes are either refused with one line or are a batch of images. `./dev check` runs it;
// image_files.test.cpp does without a fuzzer.
//
// Each input is tried as it is, and once more as whole records.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "image_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  constexpr std::size_t record = 3073;
  std::string file(reinterpret_cast<char const*>(data), size);
  weir_test::cifar10_refusal(file);
  file.resize((size / record + 1) * record);
  weir_test::cifar10_refusal(file);
  return 0;
}
