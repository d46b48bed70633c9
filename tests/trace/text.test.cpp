#include "weir/trace/text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string_view>

using namespace weir::detail;

TEST_CASE("a decimal has all its digits and a point in every locale") {
  CHECK(decimal(1'234'567, 3) == "1234.567");
  CHECK(decimal(1'005, 3) == "1.005");
  CHECK(decimal(7, 3) == "0.007");
  CHECK(decimal(0, 2) == "0.00");
  CHECK(decimal(42, 0) == "42");
  CHECK(decimal(-1'500, 3) == "-1.500");
  CHECK(decimal(-1, 3) == "-0.001");
  CHECK(decimal(std::numeric_limits<std::int64_t>::min(), 3) == "-9223372036854775.808");
}

TEST_CASE("text for JSON keeps quotes, backslashes and control characters from meaning anything") {
  CHECK(json_text("a \"b\" \\ c") == "a \\\"b\\\" \\\\ c");
  CHECK(json_text("\n\t\x1f") == "\\u000a\\u0009\\u001f");
  CHECK(json_text("µs <&>") == "µs <&>");
  CHECK(json_text(std::string_view{"\0", 1}) == "\\u0000");
}

TEST_CASE("text for XML keeps what begins a tag or an entity from doing so, and has no control characters") {
  CHECK(xml_text("a<b> & \"c\"") == "a&lt;b&gt; &amp; &quot;c&quot;");
  CHECK(xml_text("a\x01z\n") == "a z ");
  CHECK(xml_text("µs") == "µs");
}
