#include "weir/core/file_replacement.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

/// A folder that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string operator/(char const* name) const { return (path_ / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{path_}, std::filesystem::directory_iterator{}));
  }

 private:
  std::filesystem::path path_;
};

std::string content(std::string const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void replace(std::string const& path, std::string const& text) {
  weir::FileReplacement file{path};
  file.write(text);
  file.commit();
}

/// For a while, no file may become longer than this.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(FileSizeLimit const&) = delete;
  FileSizeLimit& operator=(FileSizeLimit const&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

}  // namespace

TEST_CASE("a file is made, and replaced, and nothing else is left in the folder") {
  Folder const folder;
  replace(folder / "a", "first");
  CHECK(content(folder / "a") == "first");
  replace(folder / "a", "second, longer");
  CHECK(content(folder / "a") == "second, longer");
  CHECK(folder.entries() == 1);
}

TEST_CASE("before the commit the old file is there, and without it stays") {
  Folder const folder;
  replace(folder / "a", "old");
  {
    weir::FileReplacement file{folder / "a"};
    file.write("new");
    CHECK(content(folder / "a") == "old");
  }
  CHECK(content(folder / "a") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("what is finished is not in place yet, and neither is it without a commit") {
  Folder const folder;
  replace(folder / "a", "old");
  {
    weir::FileReplacement file{folder / "a"};
    file.write("new");
    file.finish();
    CHECK(content(folder / "a") == "old");
  }
  CHECK(content(folder / "a") == "old");
  CHECK(folder.entries() == 1);
  weir::FileReplacement file{folder / "a"};
  file.write("new");
  file.finish();
  file.finish();
  file.commit();
  CHECK(content(folder / "a") == "new");
  CHECK(folder.entries() == 1);
}

TEST_CASE(
    "content for which there is no room is known when it is finished, and can then not be put in place") {
  weir::FileReplacement file{"/dev/full"};
  file.write("text");
  CHECK_THROWS_WITH_AS(file.finish(), doctest::Contains("/dev/full: cannot be written: No space"),
                       weir::FileError);
  CHECK_THROWS_AS(file.commit(), weir::FileError);
}

TEST_CASE("a write that fails leaves the old file and no temporary one, and names path and reason") {
  Folder const folder;
  replace(folder / "a", "old");
  std::string const text(100'000, 'x');
  {
    FileSizeLimit const limit{10'000};
    CHECK_THROWS_WITH_AS(replace(folder / "a", text),
                         doctest::Contains("a: cannot be written: File too large"), weir::FileError);
    CHECK_THROWS_AS(replace(folder / "b", text), weir::FileError);
  }
  CHECK(content(folder / "a") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a folder that is not there, or a folder in place of a file, is an error at once") {
  Folder const folder;
  CHECK_THROWS_WITH_AS(weir::FileReplacement{folder / "none/a"},
                       doctest::Contains("none/a: cannot be written: No such file or directory"),
                       weir::FileError);
  CHECK_THROWS_WITH_AS(weir::FileReplacement{folder / "."}, doctest::Contains("Is a directory"),
                       weir::FileError);
}

TEST_CASE("a link stays a link, and the file that it names is replaced with its permissions") {
  Folder const folder;
  replace(folder / "a", "old");
  std::filesystem::permissions(folder / "a", std::filesystem::perms{0640});
  std::filesystem::create_symlink("a", folder / "link");
  replace(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(folder / "a") == "new");
  CHECK(std::filesystem::status(folder / "a").permissions() == std::filesystem::perms{0640});
}

TEST_CASE("a device is written directly and stays a device") {
  CHECK_NOTHROW(replace("/dev/null", "text"));
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK_THROWS_WITH_AS(replace("/dev/full", "text"),
                       doctest::Contains("/dev/full: cannot be written: No space"), weir::FileError);
}

TEST_CASE("two replacements of one file do not get in each other's way") {
  Folder const folder;
  weir::FileReplacement first{folder / "a"};
  weir::FileReplacement second{folder / "a"};
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(content(folder / "a") == "first");
  CHECK(folder.entries() == 1);
}
