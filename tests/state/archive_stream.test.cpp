#include "weir/state/archive_stream.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace weir::detail;

std::vector<std::byte> written() {
  MemorySink sink{16};
  ArchiveWriter writer{sink};
  writer.write_number(std::uint32_t{7});
  writer.write_text("text");
  writer.write_checksum();
  return sink.take();
}

}  // namespace

TEST_CASE("what a writer wrote, a reader reads") {
  std::vector<std::byte> const bytes = written();
  MemorySource source{bytes};
  ArchiveReader reader{source};
  CHECK(reader.left() == 16);
  CHECK(reader.read_number<std::uint32_t>("number") == 7);
  CHECK(reader.read_text(4, "text") == "text");
  CHECK_NOTHROW(reader.check_checksum());
  CHECK(reader.left() == 0);
}

TEST_CASE("a reader takes no memory for what cannot be there, and says what was missing") {
  std::vector<std::byte> const bytes = written();
  MemorySource source{bytes};
  ArchiveReader reader{source};
  for (std::uint64_t length :
       {std::uint64_t{17}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
    CHECK_THROWS_WITH_AS(
        static_cast<void>(reader.read_text(length, "name")),
        ("archive: damaged: name of " + std::to_string(length) + " bytes where 16 are left").c_str(),
        weir::ArchiveError);
  }
}

TEST_CASE("a checksum that does not match, or that does not come last, is damage") {
  std::vector<std::byte> bytes = written();
  bytes[5] ^= std::byte{1};
  MemorySource changed{bytes};
  ArchiveReader reader{changed};
  static_cast<void>(reader.read_text(8, "all"));
  CHECK_THROWS_WITH_AS(reader.check_checksum(), doctest::Contains("checksum does not match"),
                       weir::ArchiveError);

  MemorySource early{bytes};
  ArchiveReader other{early};
  CHECK_THROWS_WITH_AS(other.check_checksum(), doctest::Contains("16 bytes follow"), weir::ArchiveError);
}

TEST_CASE("a file that is missing, and one that is none, are told apart") {
  CHECK_THROWS_WITH_AS(FileSource{"/nowhere/at/all"}, "/nowhere/at/all: no such file", weir::ArchiveError);
  CHECK_THROWS_WITH_AS(FileSource{"/"}, "/: is not a file", weir::ArchiveError);
  CHECK_THROWS_WITH_AS(FileSource{"/dev/null"}, "/dev/null: is not a file", weir::ArchiveError);
  std::string folder = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::string const pipe = folder + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(FileSource{pipe}, (pipe + ": is not a file").c_str(), weir::ArchiveError);
  std::filesystem::remove_all(folder);
}
