#include "weir/state/archive_scope.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

TEST_CASE("parts of an archive have sections of the same names, and headers of their own") {
  weir::Archive archive;
  for (std::uint64_t part : {1u, 2u}) {
    weir::ArchiveScope scope(archive, "part" + std::to_string(part) + ".");
    scope.header() = {.element = "float32", .layout_hash = 10 * part, .world_size = part};
    scope.put("weights", 3, std::vector<float>(part, 0.5f));
    scope.put("step", 0, part);
    scope.put("recipe", 0, "sgd");
    scope.put_header();
    CHECK(scope.contains("step", 0));
  }
  weir::Archive const read = weir::Archive::from_bytes(archive.bytes());
  weir::ArchiveScope const second(read, "part2.");
  CHECK(second.header().element == "float32");
  CHECK(second.header().layout_hash == 20);
  CHECK(second.header().world_size == 2);
  CHECK(second.get_value<std::uint64_t>("step", 0) == 2);
  CHECK(second.get<float>("weights", 3).size() == 2);
  CHECK(second.get<float>("weights", 3, 2)[1] == 0.5f);
  CHECK(second.text("recipe", 0) == "sgd");
  CHECK_FALSE(second.contains("weights", 4));
  CHECK_THROWS_WITH_AS((void)second.get<float>("weights", 3, 1),
                       doctest::Contains("section \"part2.weights\" of bucket 3 holds 2 float32"),
                       weir::ArchiveError);
  CHECK_THROWS_AS(weir::ArchiveScope(read, "part3."), weir::ArchiveError);
}
