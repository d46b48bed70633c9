#include "weir/exec/mark_used.hpp"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("every flag becomes a word, and no word beyond the count is written") {
  for (std::size_t count : {0u, 1u, 63u, 64u, 65u, 511u, 512u}) {
    std::vector<std::uint32_t> words(weir::MarkUsed::capacity + 1, 77);
    weir::MarkUsed mark{words.data(), count};
    for (std::size_t flag = 0; flag < count; flag += 3) mark.set(flag);
    mark();
    for (std::size_t flag = 0; flag < words.size(); ++flag)
      CHECK(words[flag] == (flag >= count ? 77u : flag % 3 == 0 ? 1u : 0u));
  }
}
