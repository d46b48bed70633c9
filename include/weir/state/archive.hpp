#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/state/archive_sections.hpp"
#include "weir/state/archive_stream.hpp"
#include "weir/state/archive_type.hpp"

namespace weir::inline v1 {

/// What the state in an archive belongs to.
struct ArchiveHeader {
  std::string element;            ///< type of the weights, such as "float32"
  std::uint64_t layout_hash = 0;  ///< of the bucket plan
  std::uint64_t world_size = 1;   ///< number of ranks
};

/// Named sections of numbers, text or bytes, one for each name and bucket, to be written to a file and read
/// back.
///
/// An archive is read whole or not at all: one in which any byte was changed, added or lost is refused.
///
/// Cost: one copy of what is put in; reading takes memory only for what the file holds.
/// Errors: ArchiveError for an archive that is missing, damaged, foreign, or lacks a section;
/// ContractViolation for a section put twice; FileError from `write`.
class Archive {
 public:
  explicit Archive(ArchiveHeader header = {}) : header_(std::move(header)) {}

  ArchiveHeader const& header() const { return header_; }
  ArchiveHeader& header() { return header_; }
  std::size_t size() const { return sections_.size(); }
  bool contains(std::string_view name, std::uint64_t bucket) const {
    return sections_.find(name, bucket) != nullptr;
  }

  /// Adds a section: a container or view of elements that lie together, or a text.
  template <class Values>
  requires requires(Values const& values) { std::span{std::data(values), std::size(values)}; }
  void put(std::string_view name, std::uint64_t bucket, Values const& values) {
    put_elements(name, bucket, std::data(values), std::size(values));
  }
  void put(std::string_view name, std::uint64_t bucket, char const* text) {
    put(name, bucket, std::string_view{text});
  }

  /// Adds a section of one number.
  template <ArchiveElement Number>
  void put(std::string_view name, std::uint64_t bucket, Number number) {
    put_elements(name, bucket, &number, 1);
  }

  /// The elements of a section, which stay where they are as long as the archive does.
  template <ArchiveElement Element>
  std::span<Element const> get(std::string_view name, std::uint64_t bucket) const {
    Section const& section = find(name, bucket);
    if (section.type != archive_type_of<Element>()) mismatch(section, name_of<Element>());
    return {reinterpret_cast<Element const*>(section.bytes.data()), section.bytes.size() / sizeof(Element)};
  }

  /// The same where the number of elements is known.
  template <ArchiveElement Element>
  std::span<Element const> get(std::string_view name, std::uint64_t bucket, std::size_t count) const {
    std::span<Element const> const elements = get<Element>(name, bucket);
    if (elements.size() == count) return elements;
    mismatch(find(name, bucket), std::to_string(count) + " " + name_of<Element>());
  }

  template <ArchiveElement Number>
  Number get_value(std::string_view name, std::uint64_t bucket) const {
    return get<Number>(name, bucket, 1).front();
  }

  std::string_view text(std::string_view name, std::uint64_t bucket) const {
    std::span<char const> const characters = get<char>(name, bucket);
    return {characters.data(), characters.size()};
  }

  std::vector<std::byte> bytes() const {
    detail::MemorySink sink{size_in_bytes()};
    write_to(sink);
    return sink.take();
  }
  static Archive from_bytes(std::span<std::byte const> bytes) {
    detail::MemorySource source{bytes};
    return read_from(source);
  }

  /// Replaces a file, or leaves it as it was when that fails.
  void write(std::string const& path) const {
    FileReplacement file{path};
    detail::FileSink sink{file};
    write_to(sink);
    file.commit();
  }
  static Archive read(std::string const& path) {
    detail::FileSource source{path};
    return read_from(source);
  }

 private:
  using Section = detail::ArchiveSection;

  static constexpr char magic[] = {'\x89', 'w', 'e', 'i', 'r', '\r', '\n', '\x1a'};
  static constexpr std::uint32_t byte_order = 0x0102'0304;
  static constexpr std::uint32_t version = 1;
  static constexpr std::size_t fixed_size =
      sizeof magic + 2 * sizeof(std::uint32_t) + 5 * sizeof(std::uint64_t);

  template <class Element>
  static std::string name_of() {
    return detail::traits_of(archive_type_of<Element>()).name;
  }

  template <ArchiveElement Element>
  void put_elements(std::string_view name, std::uint64_t bucket, Element const* elements, std::size_t count) {
    std::byte const* const bytes = reinterpret_cast<std::byte const*>(elements);
    Section section{
        std::string(name), bucket, archive_type_of<Element>(), {bytes, bytes + count * sizeof(Element)}};
    if (sections_.insert(std::move(section))) return;
    throw ContractViolation("archive: " + detail::section_label(name, bucket) + " is already there");
  }

  Section const& find(std::string_view name, std::uint64_t bucket) const {
    if (Section const* const found = sections_.find(name, bucket)) return *found;
    throw ArchiveError("archive: no " + detail::section_label(name, bucket) + "; it has " +
                       sections_.names());
  }

  [[noreturn]] static void mismatch(Section const& section, std::string const& wanted) {
    detail::ArchiveTypeTraits const traits = detail::traits_of(section.type);
    throw ArchiveError("archive: " + section.label() + " holds " +
                       std::to_string(section.bytes.size() / traits.size) + " " + traits.name + ", not " +
                       wanted);
  }

  std::uint64_t size_in_bytes() const {
    std::uint64_t total = fixed_size + header_.element.size() + sizeof(std::uint64_t);
    for (Section const& section : sections_) {
      total += 4 * sizeof(std::uint64_t) + section.name.size() + section.bytes.size();
    }
    return total;
  }

  void write_to(detail::ArchiveSink& sink) const {
    detail::ArchiveWriter writer{sink};
    writer.write(magic, sizeof magic);
    writer.write_number(byte_order);
    writer.write_number(version);
    writer.write_number(size_in_bytes());
    writer.write_number(header_.layout_hash);
    writer.write_number(header_.world_size);
    writer.write_number(std::uint64_t{sections_.size()});
    writer.write_number(std::uint64_t{header_.element.size()});
    writer.write_text(header_.element);
    for (Section const& section : sections_) {
      writer.write_number(std::uint64_t{section.name.size()});
      writer.write_number(section.bucket);
      writer.write_number(section.type);
      writer.write_number(std::uint64_t{section.bytes.size()});
      writer.write_text(section.name);
      writer.write(section.bytes.data(), section.bytes.size());
    }
    writer.write_checksum();
  }

  static Archive read_from(detail::ArchiveSource& source) {
    detail::ArchiveReader reader{source};
    check_format(reader);
    ArchiveHeader header;
    header.layout_hash = reader.read_number<std::uint64_t>("layout hash");
    header.world_size = reader.read_number<std::uint64_t>("world size");
    std::uint64_t const count = reader.read_number<std::uint64_t>("section count");
    std::uint64_t const length = reader.read_number<std::uint64_t>("element length");
    header.element = reader.read_text(length, "element type");
    Archive archive{std::move(header)};
    for (std::uint64_t i = 0; i < count; ++i) archive.read_section(reader);
    reader.check_checksum();
    return archive;
  }

  static void check_format(detail::ArchiveReader& reader) {
    std::uint64_t const size = reader.left();
    char seen[sizeof magic] = {};
    if (size >= sizeof magic) reader.read(seen, sizeof seen, "magic");
    if (std::memcmp(seen, magic, sizeof magic) != 0) reader.refuse("not an archive of this library");

    std::uint32_t const order = reader.read_number<std::uint32_t>("byte order");
    if (order == __builtin_bswap32(byte_order)) reader.refuse("written on a machine of the other byte order");
    if (order != byte_order) reader.damaged("its byte order mark is none");

    std::uint32_t const format = reader.read_number<std::uint32_t>("version");
    if (format != version) {
      reader.refuse("format version " + std::to_string(format) + "; this library reads version " +
                    std::to_string(version));
    }
    std::uint64_t const total = reader.read_number<std::uint64_t>("size");
    if (total != size) {
      reader.damaged("it has " + std::to_string(size) + " bytes and was written with " +
                     std::to_string(total));
    }
  }

  void read_section(detail::ArchiveReader& reader) {
    std::uint64_t const name_length = reader.read_number<std::uint64_t>("name length");
    std::uint64_t const bucket = reader.read_number<std::uint64_t>("bucket");
    ArchiveType const type = reader.read_number<ArchiveType>("type");
    std::uint64_t const size = reader.read_number<std::uint64_t>("section size");
    std::string name = reader.read_text(name_length, "section name");

    Section section{std::move(name), bucket, type, {}};
    detail::ArchiveTypeTraits const traits = detail::traits_of(type);
    if (traits.name == nullptr || size % traits.size != 0) {
      reader.damaged(section.label() + " has a type or size that cannot be");
    }
    reader.require(size, "section");
    section.bytes.resize(static_cast<std::size_t>(size));
    reader.read(section.bytes.data(), section.bytes.size(), "section");
    std::string const label = section.label();
    if (!sections_.insert(std::move(section))) reader.damaged(label + " is there twice");
  }

  ArchiveHeader header_;
  detail::ArchiveSections sections_;
};

}  // namespace weir::inline v1
