// libFuzzer: any text is either refused with one line or is a table, which is valid or not. `./dev check`
// runs it; tables.test.cpp does without a fuzzer.
//
// Each input is tried as a file, and behind the header of one. No mutation would write many lines that are
// right, so each six bytes are taken for the values of one, too.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "table_input.hpp"

namespace {

/// Few workers, stages and micro-batches; slots count up, and a backward may join a forward.
std::string lines(std::string_view bytes) {
  std::string text;
  std::size_t slots[3] = {};
  for (; bytes.size() >= 6; bytes.remove_prefix(6)) {
    auto const value = [&](std::size_t place, unsigned below) {
      return std::to_string(static_cast<unsigned char>(bytes[place]) % below);
    };
    std::string const worker = value(0, 3);
    std::size_t& slot = slots[worker[0] - '0'];
    bool const is_joined = slot > 0 && bytes[4] % 8 == 1;
    char const kind = "FBIW"[static_cast<unsigned char>(bytes[1]) % 4];
    text += worker + ',' + std::to_string(is_joined ? slot - 1 : slot++) + ',' + kind + ',' + value(2, 4) +
            ',' + value(3, 4) + ',' + (bytes[4] % 8 == 0 ? "reverse" : "forward") + ',' + value(5, 2) + ',' +
            value(5, 3) + ",,\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  std::string const header = std::string(weir::detail::long_csv_header) + '\n';
  for (std::string const& text : {std::string(input), header + std::string(input), header + lines(input)})
    weir_test::refusal(text, weir_test::TableForm::one_operation_per_line);
  return 0;
}
