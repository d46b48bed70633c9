#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "weir/state/archive.hpp"

namespace weir::inline v1 {

/// A part of an archive, to which all names are told with a prefix, and with a header of its own: so that
/// what saves to an archive can save to one with others beside it.
///
/// Errors: those of the archive.
class ArchiveScope {
 public:
  /// For saving. The header is that of the part once `put_header` has been called, behind everything else.
  ArchiveScope(Archive& archive, std::string prefix)
      : to_(&archive), from_(archive), prefix_(std::move(prefix)) {}

  /// For loading.
  ArchiveScope(Archive const& archive, std::string prefix) : from_(archive), prefix_(std::move(prefix)) {
    header_ = {std::string(text("element", 0)), get_value<std::uint64_t>("layout_hash", 0),
               get_value<std::uint64_t>("world_size", 0)};
  }

  ArchiveHeader const& header() const { return header_; }
  ArchiveHeader& header() { return header_; }
  void put_header() {
    put("element", 0, header_.element);
    put("layout_hash", 0, header_.layout_hash);
    put("world_size", 0, header_.world_size);
  }

  bool contains(std::string_view name, std::uint64_t bucket) const {
    return from_.contains(full(name), bucket);
  }

  template <class Values>
  void put(std::string_view name, std::uint64_t bucket, Values const& values) {
    to_->put(full(name), bucket, values);
  }

  template <ArchiveElement Element>
  std::span<Element const> get(std::string_view name, std::uint64_t bucket) const {
    return from_.get<Element>(full(name), bucket);
  }
  template <ArchiveElement Element>
  std::span<Element const> get(std::string_view name, std::uint64_t bucket, std::size_t count) const {
    return from_.get<Element>(full(name), bucket, count);
  }
  template <ArchiveElement Number>
  Number get_value(std::string_view name, std::uint64_t bucket) const {
    return from_.get_value<Number>(full(name), bucket);
  }
  std::string_view text(std::string_view name, std::uint64_t bucket) const {
    return from_.text(full(name), bucket);
  }

 private:
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }

  Archive* to_ = nullptr;  // null: for loading
  Archive const& from_;
  std::string prefix_;
  ArchiveHeader header_;
};

}  // namespace weir::inline v1
