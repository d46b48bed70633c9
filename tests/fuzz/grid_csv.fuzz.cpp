// libFuzzer: any text is either refused with one line or is a table, which is valid or not. `./dev check`
// runs it; tables.test.cpp does without a fuzzer.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "table_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  weir_test::refusal({reinterpret_cast<char const*>(data), size}, weir_test::TableForm::grid);
  return 0;
}
