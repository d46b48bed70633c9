#include "weir/pipeline/table_file_error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace weir;

namespace {

std::string joined(std::string_view text) {
  std::string parts;
  detail::Split split(text, ',');
  for (std::string_view part; split.next(part);) parts += "[" + std::string(part) + "]";
  return parts;
}

}  // namespace

TEST_CASE("an error names row and cell") {
  CHECK(std::string(TableFileError(2, "0X1", "0F1").what()) == "row 2, cell \"0X1\": 0F1 would be right");
}

TEST_CASE("of a cell that is long or cannot be printed an error is still one short line") {
  std::string const line =
      TableFileError(3, std::string("\0F\n\x80", 4) + std::string(4000, 'x'), "0F1").what();
  CHECK(line == "row 3, cell \"?F??" + std::string(56, 'x') + "..\": 0F1 would be right");
}

TEST_CASE("parts between separators, without blanks around them") {
  CHECK(joined("a, b\t,c\r") == "[a][b][c]");
  CHECK(joined(",a,") == "[][a][]");
  CHECK(joined("") == "[]");
  CHECK(detail::without_empty_end("a\n\n \r\n") == "a");
}
