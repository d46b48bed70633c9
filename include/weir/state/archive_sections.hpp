#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/state/archive_type.hpp"

namespace weir::inline v1::detail {

inline std::string section_label(std::string_view name, std::uint64_t bucket) {
  return "section \"" + std::string(name) + "\" of bucket " + std::to_string(bucket);
}

/// One section of an archive.
struct ArchiveSection {
  std::string name;
  std::uint64_t bucket;
  ArchiveType type;
  std::vector<std::byte> bytes;

  std::string label() const { return section_label(name, bucket); }
};

/// Sections in the order of name and bucket, so that an archive does not depend on the order of the calls.
class ArchiveSections {
 public:
  std::size_t size() const { return sections_.size(); }
  auto begin() const { return sections_.begin(); }
  auto end() const { return sections_.end(); }

  /// Null where there is no such section.
  ArchiveSection const* find(std::string_view name, std::uint64_t bucket) const {
    std::size_t const position = position_of(name, bucket);
    if (position == sections_.size()) return nullptr;
    ArchiveSection const& found = sections_[position];
    return found.name == name && found.bucket == bucket ? &found : nullptr;
  }

  /// False where such a section is there already.
  bool insert(ArchiveSection&& section) {
    if (find(section.name, section.bucket) != nullptr) return false;
    std::size_t const position = position_of(section.name, section.bucket);
    sections_.insert(sections_.begin() + static_cast<std::ptrdiff_t>(position), std::move(section));
    return true;
  }

  /// All names, for a message.
  std::string names() const {
    std::string names;
    std::string_view last;
    for (ArchiveSection const& section : sections_) {
      if (!names.empty() && section.name == last) continue;
      names += (names.empty() ? "\"" : ", \"") + section.name + "\"";
      last = section.name;
    }
    return names.empty() ? "nothing" : names;
  }

 private:
  /// Where the section is, or would have to be.
  std::size_t position_of(std::string_view name, std::uint64_t bucket) const {
    std::size_t first = 0;
    std::size_t last = sections_.size();
    while (first < last) {
      std::size_t const middle = first + (last - first) / 2;
      ArchiveSection const& section = sections_[middle];
      bool const is_before = section.name == name ? section.bucket < bucket : section.name < name;
      (is_before ? first : last) = is_before ? middle + 1 : middle;
    }
    return first;
  }

  std::vector<ArchiveSection> sections_;
};

}  // namespace weir::inline v1::detail
