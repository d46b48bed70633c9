#include "weir/state/archive.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/half.hpp"
#include "weir/state/checksum.hpp"

namespace {

using weir::Archive;
using weir::ArchiveError;
using Bytes = std::vector<std::byte>;

Archive small_archive() {
  Archive archive{{.element = "float32", .layout_hash = 0x1234'5678'9abc'def0, .world_size = 4}};
  archive.put("velocity", 0, std::vector<float>{1.5f, -2.5f, 3.25f});
  archive.put("velocity", 1, std::vector<float>{0.5f});
  archive.put("step", 0, std::uint64_t{41});
  archive.put("rule", 0, "linear");
  return archive;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(char const* name) const { return (path_ / name).string(); }
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void spill(std::string const& path, Bytes const& bytes) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Puts a number into an archive and makes the checksum right again: damage that only the reader can see.
Bytes forged(Bytes bytes, std::size_t offset, std::uint64_t number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
  std::uint64_t const sum = weir::checksum(std::span{bytes}.first(bytes.size() - sizeof sum));
  std::memcpy(bytes.data() + bytes.size() - sizeof sum, &sum, sizeof sum);
  return bytes;
}

// The format: magic 8, byte order 4, version 4, size 8, layout hash 8, world size 8, count 8, element 8 + 7,
// then the first section, "rule": name length, bucket, type, size.
constexpr std::size_t size_offset = 16;
constexpr std::size_t count_offset = 40;
constexpr std::size_t element_offset = 48;
constexpr std::size_t first_section = 63;

}  // namespace

TEST_CASE("what was put into an archive comes out of its bytes, bit for bit") {
  Archive archive = small_archive();
  std::vector<weir::half> const halves{weir::half{1.5f}, weir::half{-0.0f}};
  std::vector<weir::bfloat16> const brains{weir::bfloat16{3.0f}};
  double const doubles[] = {0.1, -1e300};
  archive.put("halves", 3, halves);
  archive.put("brains", 3, brains);
  archive.put("doubles", 3, doubles);
  archive.put("empty", 9, std::vector<float>{});
  archive.put("raw", 0, Bytes{std::byte{1}, std::byte{0xff}});
  archive.put("negative", 0, std::int32_t{-5});
  archive.put("spanned", 0, std::span<std::int64_t const>{});

  Archive const back = Archive::from_bytes(archive.bytes());
  CHECK(back.header().element == "float32");
  CHECK(back.header().layout_hash == 0x1234'5678'9abc'def0);
  CHECK(back.header().world_size == 4);
  CHECK(back.size() == archive.size());
  CHECK(back.get<float>("velocity", 0)[1] == -2.5f);
  CHECK(back.get<float>("velocity", 0).size() == 3);
  CHECK(back.get<float>("velocity", 1, 1)[0] == 0.5f);
  CHECK(back.get_value<std::uint64_t>("step", 0) == 41);
  CHECK(back.get_value<std::int32_t>("negative", 0) == -5);
  CHECK(back.text("rule", 0) == "linear");
  CHECK(back.get<weir::half>("halves", 3, 2)[1].bits() == 0x8000);
  CHECK(back.get<weir::bfloat16>("brains", 3, 1)[0] == 3.0f);
  CHECK(back.get<double>("doubles", 3, 2)[1] == -1e300);
  CHECK(back.get<float>("empty", 9).empty());
  CHECK(back.get<std::byte>("raw", 0, 2)[1] == std::byte{0xff});
  CHECK(back.contains("empty", 9));
  CHECK_FALSE(back.contains("empty", 8));
  CHECK_FALSE(back.contains("emptiness", 9));
  CHECK(back.bytes() == archive.bytes());
}

TEST_CASE("an archive does not depend on the order in which its sections were put") {
  Archive first{{.element = "float32"}};
  Archive second{{.element = "float32"}};
  first.put("a", 0, 1);
  first.put("b", 0, 2);
  second.put("b", 0, 2);
  second.put("a", 0, 1);
  CHECK(first.bytes() == second.bytes());
}

TEST_CASE("any content comes back") {
  CHECK(
      rc::check([](std::map<std::pair<std::string, std::uint64_t>, std::vector<std::int16_t>> const& content,
                   std::string const& element, std::uint64_t hash) {
        Archive archive{{.element = element, .layout_hash = hash}};
        for (auto const& [key, values] : content) archive.put(key.first, key.second, values);
        Archive const back = Archive::from_bytes(archive.bytes());
        RC_ASSERT(back.size() == content.size());
        RC_ASSERT(back.header().element == element);
        for (auto const& [key, values] : content) {
          auto const found = back.get<std::int16_t>(key.first, key.second);
          RC_ASSERT(std::vector<std::int16_t>(found.begin(), found.end()) == values);
        }
      }));
}

TEST_CASE("an archive with any byte changed in any way is refused") {
  Bytes bytes = small_archive().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned flip = 1; flip < 256; ++flip) {
      bytes[i] ^= static_cast<std::byte>(flip);
      REQUIRE_THROWS_AS(static_cast<void>(Archive::from_bytes(bytes)), ArchiveError);
      bytes[i] ^= static_cast<std::byte>(flip);
    }
  }
  CHECK_NOTHROW(static_cast<void>(Archive::from_bytes(bytes)));
}

TEST_CASE("an archive that was cut off or that goes on is refused") {
  Bytes const bytes = small_archive().bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_THROWS_AS(static_cast<void>(Archive::from_bytes(std::span{bytes}.first(length))), ArchiveError);
  }
  Bytes longer = bytes;
  for (int i = 0; i < 20; ++i) {
    longer.push_back(std::byte{0});
    REQUIRE_THROWS_AS(static_cast<void>(Archive::from_bytes(longer)), ArchiveError);
  }
  Bytes twice = bytes;
  twice.insert(twice.end(), bytes.begin(), bytes.end());
  CHECK_THROWS_AS(static_cast<void>(Archive::from_bytes(twice)), ArchiveError);
}

TEST_CASE("the reason is said: foreign, other version, other byte order, damaged") {
  auto const refused = [](Bytes const& bytes, char const* reason) {
    CHECK_THROWS_WITH_AS(static_cast<void>(Archive::from_bytes(bytes)), doctest::Contains(reason),
                         ArchiveError);
  };
  Bytes const bytes = small_archive().bytes();
  refused({}, "archive: not an archive of this library");
  refused(Bytes(1'000), "not an archive of this library");
  refused(Bytes(1'000, std::byte{'x'}), "not an archive of this library");

  Bytes version = bytes;
  version[12] = std::byte{2};
  refused(version, "format version 2; this library reads version 1");
  Bytes order = bytes;
  for (std::size_t i = 0; i < 4; ++i) order[8 + i] = bytes[11 - i];
  refused(order, "other byte order");
  Bytes payload = bytes;
  payload[bytes.size() - 20] ^= std::byte{0x10};
  refused(payload, "damaged: its checksum does not match");
  refused({bytes.begin(), bytes.end() - 1}, "bytes and was written with");
}

TEST_CASE("hostile sizes with a right checksum are refused without memory being taken for them") {
  Bytes const bytes = small_archive().bytes();
  REQUIRE_NOTHROW(static_cast<void>(Archive::from_bytes(forged(bytes, size_offset, bytes.size()))));
  for (std::uint64_t hostile : {std::uint64_t{5}, std::uint64_t{1'000}, std::uint64_t{1} << 40,
                                std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    for (std::size_t offset :
         {size_offset, count_offset, element_offset, first_section, first_section + 16, first_section + 24}) {
      REQUIRE_THROWS_AS(static_cast<void>(Archive::from_bytes(forged(bytes, offset, hostile))), ArchiveError);
    }
  }
  // Element types whose size does not divide what is there, or that do not exist.
  CHECK_THROWS_WITH_AS(
      static_cast<void>(Archive::from_bytes(forged(bytes, first_section + 16, std::uint64_t{14}))),
      doctest::Contains("section \"rule\" of bucket 0 has a type or size that cannot be"), ArchiveError);
}

TEST_CASE("two sections of one name and bucket are refused, when put and when read") {
  Archive archive{{.element = "float32"}};
  archive.put("a", 0, 1);
  CHECK_THROWS_WITH_AS(archive.put("a", 0, 2), "archive: section \"a\" of bucket 0 is already there",
                       weir::ContractViolation);
  CHECK(archive.get_value<int>("a", 0) == 1);

  archive.put("a", 1, 2);
  Bytes const bytes = archive.bytes();
  std::size_t const second_bucket = bytes.size() - 8 - 5 - 3 * 8;
  CHECK_THROWS_WITH_AS(static_cast<void>(Archive::from_bytes(forged(bytes, second_bucket, 0))),
                       doctest::Contains("section \"a\" of bucket 0 is there twice"), ArchiveError);
}

TEST_CASE("asking for what is not there names what is") {
  Archive const archive = small_archive();
  CHECK_THROWS_WITH_AS(
      static_cast<void>(archive.get<float>("velocity", 2)),
      "archive: no section \"velocity\" of bucket 2; it has \"rule\", \"step\", \"velocity\"", ArchiveError);
  CHECK_THROWS_WITH_AS(static_cast<void>(archive.get<double>("velocity", 0)),
                       "archive: section \"velocity\" of bucket 0 holds 3 float32, not float64",
                       ArchiveError);
  CHECK_THROWS_WITH_AS(static_cast<void>(archive.get<float>("velocity", 0, 4)),
                       "archive: section \"velocity\" of bucket 0 holds 3 float32, not 4 float32",
                       ArchiveError);
  CHECK_THROWS_WITH_AS(static_cast<void>(archive.get_value<float>("velocity", 0)),
                       "archive: section \"velocity\" of bucket 0 holds 3 float32, not 1 float32",
                       ArchiveError);
  CHECK_THROWS_WITH_AS(static_cast<void>(archive.text("step", 0)),
                       "archive: section \"step\" of bucket 0 holds 1 uint64, not text", ArchiveError);
}

TEST_CASE("a file holds the bytes of the archive and gives it back") {
  Folder const folder;
  Archive const archive = small_archive();
  archive.write(folder / "state");
  CHECK(std::filesystem::file_size(folder / "state") == archive.bytes().size());
  CHECK(Archive::read(folder / "state").bytes() == archive.bytes());
}

TEST_CASE("a file with any byte changed, cut off or longer is refused by its name") {
  Folder const folder;
  std::string const path = folder / "state";
  Bytes bytes = small_archive().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{0x40};
    spill(path, bytes);
    REQUIRE_THROWS_WITH_AS(static_cast<void>(Archive::read(path)), doctest::Contains(path.c_str()),
                           ArchiveError);
    bytes[i] ^= std::byte{0x40};
  }
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    spill(path, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    REQUIRE_THROWS_AS(static_cast<void>(Archive::read(path)), ArchiveError);
  }
  bytes.push_back(std::byte{0});
  spill(path, bytes);
  CHECK_THROWS_AS(static_cast<void>(Archive::read(path)), ArchiveError);
}

TEST_CASE("a missing file is reported as missing") {
  Folder const folder;
  std::string const path = folder / "none";
  CHECK_THROWS_WITH_AS(static_cast<void>(Archive::read(path)), (path + ": no such file").c_str(),
                       ArchiveError);
}

TEST_CASE("an archive that cannot be written leaves the old one in place and nothing beside it") {
  Folder const folder;
  std::string const path = folder / "state";
  small_archive().write(path);
  Archive large = small_archive();
  large.put("moments", 0, std::vector<double>(10'000));

  auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  rlimit limit = old;
  limit.rlim_cur = 20'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  CHECK_THROWS_AS(large.write(path), weir::FileError);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);

  CHECK(Archive::read(path).bytes() == small_archive().bytes());
  std::size_t entries = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator{folder.path()}) ++entries;
  CHECK(entries == 1);
}
