// libFuzzer: any text is either refused with one line or holds the digits. `./dev check` runs it;
// image_files.test.cpp does without a fuzzer.
//
// No mutation would ever have as many rows as there are digits, so each input is tried as it is and once more
// behind rows that are right.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "image_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  weir_test::digits_refusal(input);
  static std::string const rows = [] {
    std::string row, all;
    for (std::size_t i = 0; i < 64; ++i) row += "7,";
    for (std::size_t i = 1; i < weir_train::Digits::rows; ++i) all += row + "3\n";
    return all;
  }();
  weir_test::digits_refusal(rows + std::string(input));
  return 0;
}
