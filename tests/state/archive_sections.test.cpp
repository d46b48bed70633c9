#include "weir/state/archive_sections.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using weir::detail::ArchiveSections;

bool insert(ArchiveSections& sections, char const* name, std::uint64_t bucket) {
  return sections.insert({name, bucket, weir::ArchiveType::bytes, {}});
}

}  // namespace

TEST_CASE("sections are in the order of name and bucket, whatever the order they came in") {
  ArchiveSections sections;
  CHECK(insert(sections, "b", 10));
  CHECK(insert(sections, "a", 7));
  CHECK(insert(sections, "b", 2));
  CHECK(insert(sections, "ab", 0));
  std::vector<std::pair<std::string, std::uint64_t>> order;
  for (auto const& section : sections) order.emplace_back(section.name, section.bucket);
  CHECK(order ==
        std::vector<std::pair<std::string, std::uint64_t>>{{"a", 7}, {"ab", 0}, {"b", 2}, {"b", 10}});
}

TEST_CASE("a section is found by both parts of its key, and taken once") {
  ArchiveSections sections;
  CHECK(insert(sections, "a", 1));
  CHECK_FALSE(insert(sections, "a", 1));
  CHECK(sections.size() == 1);
  REQUIRE(sections.find("a", 1) != nullptr);
  CHECK(sections.find("a", 1)->label() == "section \"a\" of bucket 1");
  CHECK(sections.find("a", 0) == nullptr);
  CHECK(sections.find("a", 2) == nullptr);
  CHECK(sections.find("b", 1) == nullptr);
}

TEST_CASE("the names for a message are each said once") {
  ArchiveSections sections;
  CHECK(sections.names() == "nothing");
  insert(sections, "ab", 0);
  insert(sections, "b", 0);
  insert(sections, "ab", 1);
  CHECK(sections.names() == "\"ab\", \"b\"");
}
