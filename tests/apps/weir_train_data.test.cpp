#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "../../examples/apps/weir_train/digits.hpp"

namespace {

using namespace weir_train;

std::string row(std::string const& pixel = "3", std::string const& label = "7") {
  std::string text;
  for (int i = 0; i < 63; ++i) text += "16,";
  return text + pixel + "," + label;
}

std::string rows(std::size_t count, std::string const& last = row()) {
  std::string text;
  for (std::size_t i = 1; i < count; ++i) text += row() + "\n";
  return text + last + "\n";
}

std::string refusal(std::string const& text) {
  try {
    Digits::parse("digits.csv", text);
  } catch (RunError const& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("digits are read with pixels from 0 to 1, and the last 360 rows are the test set") {
  Images images = Digits::parse("digits.csv", rows(1797, row("0", "2")));
  CHECK(images.size() == 1797);
  CHECK(static_cast<float>(images.image(0)[0]) * images.scale == 1.0f);
  Images const test = images.split_off(Digits::test_rows);
  CHECK(images.size() == 1437);
  CHECK(test.size() == 360);
  CHECK(images.labels.back() == 7);
  CHECK(test.labels.back() == 2);
  CHECK(test.image(359)[63] == 0);
  CHECK(images.pixels.size() == 1437 * 64);
}

TEST_CASE("digits that are not as they should be are refused with file, line, and what would be right") {
  CHECK(refusal(rows(1796)) == "digits.csv: 1796 rows; 1797 would be right");
  CHECK(refusal("") == "digits.csv: 0 rows; 1797 would be right");
  CHECK(refusal(rows(1797, row("17"))) ==
        "digits.csv:1797: column 64: \"17\"; a pixel from 0 to 16 would be right");
  CHECK(refusal(rows(3, row("-1"))).starts_with("digits.csv:3: column 64: \"-1\""));
  CHECK(refusal(rows(3, row("x"))).starts_with("digits.csv:3: column 64: \"x\""));
  CHECK(refusal(rows(3, row("3", "10"))).ends_with("a label from 0 to 9 would be right"));
  CHECK(refusal(rows(3, row("3", ""))).starts_with("digits.csv:3: column 65: \"\""));
  CHECK(refusal(rows(3, row("3", "4,5"))).ends_with("more columns follow; 65 columns would be right"));
  CHECK(refusal(rows(3, "1,2,3")).ends_with("column 3: no comma follows; 65 columns would be right"));
  CHECK(refusal(rows(1797).substr(0, rows(1797).size() - 2)).starts_with("digits.csv:1797: column 65"));
}
