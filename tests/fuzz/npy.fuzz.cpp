// libFuzzer: any bytes are either refused with one line or are the gradient that they say they are.
// `./dev check` runs it; npy.test.cpp does without a fuzzer.
//
// Each input is tried as a file, and as the dictionary in the header of one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "npy_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  for (bool const is_bfloat16 : {false, true}) weir_test::refusal(input, is_bfloat16);
  if (size > 0xffff) return 0;
  std::string file("\x93NUMPY\1\0", 8);
  file += static_cast<char>(size % 256);
  file += static_cast<char>(size / 256);
  file += input;
  for (bool const is_bfloat16 : {false, true}) weir_test::refusal(file, is_bfloat16);
  return 0;
}
