#include "weir/comm/file_exchange.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using weir::FileByteExchange;
using Bytes = std::vector<std::byte>;

namespace {

/// A folder of its own, gone afterwards.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-exchange-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  std::string file() const { return path + "/id"; }

  std::string path;
};

Bytes bytes_from(int first) {
  Bytes bytes(128);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(static_cast<std::size_t>(first) + i);
  return bytes;
}

std::string timeout_of(FileByteExchange const& exchange, std::size_t size = 128) {
  Bytes bytes(size);
  try {
    exchange(1, bytes);
  } catch (weir::PeerTimeout const& error) {
    CHECK(bytes == Bytes(size));
    return error.what();
  }
  return "nothing thrown";
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("all ranks get the bytes of rank 0, one exchange after another") {
  Folder const folder;
  std::vector<std::thread> ranks;
  for (std::size_t rank = 0; rank < 4; ++rank) {
    ranks.emplace_back([&, rank] {
      FileByteExchange const exchange(folder.file(), "job 17, attempt 1", {20s});
      if (rank == 0) std::this_thread::sleep_for(20ms);
      for (int round = 0; round < 3; ++round) {
        Bytes bytes = rank == 0 ? bytes_from(round) : Bytes(128);
        exchange(rank, bytes);
        CHECK(bytes == bytes_from(round));
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

TEST_CASE("a copy goes on counting") {
  Folder const folder;
  FileByteExchange const writer(folder.file(), "a");
  FileByteExchange const copy = writer;
  Bytes first = bytes_from(1);
  Bytes second = bytes_from(2);
  writer(0, first);
  copy(0, second);
  FileByteExchange const reader(folder.file(), "a", {50ms});
  Bytes read(128);
  reader(1, read);
  CHECK(read == first);
  FileByteExchange const copy_of_reader = reader;
  copy_of_reader(1, read);
  CHECK(read == second);
}

TEST_CASE("a rank 0 that never comes is an error within the deadline") {
  Folder const folder;
  auto const begin = std::chrono::steady_clock::now();
  CHECK(timeout_of(FileByteExchange(folder.file(), "a", {50ms})) ==
        "FileByteExchange number 0: rank 0 has not written " + folder.file() + "-0 within 50 ms");
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("the file of an earlier run is refused, and waited past") {
  Folder const folder;
  Bytes old = bytes_from(1);
  FileByteExchange(folder.file(), "yesterday")(0, old);
  CHECK(contains(timeout_of(FileByteExchange(folder.file(), "today", {50ms})), "is of another run"));
  CHECK(contains(timeout_of(FileByteExchange(folder.file(), "yesterday 128", {50ms})), "is of another run"));
  std::thread late([&] {
    std::this_thread::sleep_for(30ms);
    Bytes fresh = bytes_from(9);
    FileByteExchange(folder.file(), "today")(0, fresh);
  });
  Bytes bytes(128);
  FileByteExchange(folder.file(), "today", {20s})(1, bytes);
  late.join();
  CHECK(bytes == bytes_from(9));
}

TEST_CASE("a file that is short, long, damaged or for another size is not taken") {
  Folder const folder;
  Bytes bytes = bytes_from(1);
  FileByteExchange(folder.file(), "a")(0, bytes);
  std::string content;
  {
    std::ifstream file(folder.file() + "-0", std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto const read_as = [&](std::string const& text, std::size_t size = 128) {
    std::ofstream(folder.file() + "-0", std::ios::binary) << text;
    Bytes read(size);
    try {
      FileByteExchange(folder.file(), "a", {0ms})(1, read);
      return read == bytes ? std::string("taken") : std::string("wrong");
    } catch (weir::PeerTimeout const&) {
      return std::string("refused");
    }
  };
  CHECK(read_as(content) == "taken");
  for (std::size_t length = 0; length < content.size(); ++length)
    CHECK(read_as(content.substr(0, length)) == "refused");
  CHECK(read_as(content + "x") == "refused");
  CHECK(read_as(content + content) == "refused");
  CHECK(read_as(content, 127) == "refused");
  CHECK(read_as(content, 0) == "refused");
  for (std::size_t place = 0; place < content.size(); ++place) {
    std::string damaged = content;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    CHECK(read_as(damaged) == "refused");
  }
}

TEST_CASE("what cannot be written, and a run that cannot be told apart, are errors of rank 0") {
  Bytes bytes(8);
  FileByteExchange const nowhere("/no/such/folder/id", "a");
  CHECK_THROWS_AS(nowhere(0, bytes), weir::FileError);
  CHECK_THROWS_AS(FileByteExchange("id", ""), weir::ContractViolation);
}
