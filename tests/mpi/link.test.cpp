#include "weir/mpi/link.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using weir::detail::MpiLink;

namespace {

MPI_Comm duplicate() {
  MPI_Comm result = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &result);
  MPI_Comm_set_errhandler(result, MPI_ERRORS_RETURN);
  return result;
}

}  // namespace

TEST_CASE("posted messages have all arrived after the wait") {
  MpiLink link(duplicate(), duplicate(), {}, std::make_shared<std::mutex>());
  std::size_t const next = (link.rank() + 1) % link.size();
  std::size_t const previous = (link.rank() + link.size() - 1) % link.size();
  std::vector<std::size_t> const sent(100'000, link.rank());
  std::vector<std::size_t> received(100'000);
  for (int repetition = 0; repetition < 5; ++repetition) {
    weir::Fingerprint const operation;
    link.begin(operation);
    link.receive(received.data(), received.size() * sizeof(std::size_t), previous, MpiLink::exchange_tag);
    link.receive(nullptr, 0, previous, MpiLink::exchange_tag);
    link.send(sent.data(), sent.size() * sizeof(std::size_t), next, MpiLink::exchange_tag);
    link.send(nullptr, 0, next, MpiLink::exchange_tag);
    link.wait(operation);
    CHECK(received == std::vector<std::size_t>(100'000, previous));
  }
}

TEST_CASE("a message goes in pieces of the longest that was asked for") {
  MPI_Comm const data = duplicate();
  MpiLink link(data, duplicate(), {}, std::make_shared<std::mutex>(), 1'000);
  weir::Fingerprint const operation;
  std::vector<char> bytes(2'500, static_cast<char>('a' + link.rank()));
  if (link.rank() == 0) {
    link.send(bytes.data(), bytes.size(), 1, MpiLink::exchange_tag);
    link.wait(operation);
  } else if (link.rank() == 1) {
    // Received by MPI itself, so that the pieces show.
    int offset = 0;
    for (int const expected : {1'000, 1'000, 500}) {
      MPI_Status status;
      int count = 0;
      MPI_Recv(bytes.data() + offset, 2'500 - offset, MPI_BYTE, 0, MpiLink::exchange_tag, data, &status);
      MPI_Get_count(&status, MPI_BYTE, &count);
      CHECK(count == expected);
      offset += count;
    }
    CHECK(bytes == std::vector<char>(2'500, 'a'));
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

TEST_CASE("messages whose sizes differ by whole pieces are an error on all ranks") {
  struct Sizes {
    std::size_t sent, expected;
  };
  std::vector<char> bytes(3'000);
  for (Sizes const sizes : {Sizes{1'000, 2'000}, Sizes{2'000, 1'000}, Sizes{0, 1'000}, Sizes{1'000, 0},
                            Sizes{1'500, 2'500}, Sizes{2'500, 1'500}, Sizes{3'000, 1'000}}) {
    CAPTURE(sizes.sent);
    CAPTURE(sizes.expected);
    MpiLink link(duplicate(), duplicate(), {}, std::make_shared<std::mutex>(), 1'000);
    weir::Fingerprint const operation;
    bool is_told = false;
    try {
      link.begin(operation);
      if (link.rank() == 0) link.send(bytes.data(), sizes.sent, 1, MpiLink::exchange_tag);
      if (link.rank() == 1) link.receive(bytes.data(), sizes.expected, 0, MpiLink::exchange_tag);
      link.wait(operation);
      for (int turn = 0; turn < 500; ++turn) {
        link.check();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    } catch (weir::FingerprintMismatch const&) {
      is_told = true;
    }
    CHECK(is_told);
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

TEST_CASE("whole pieces of the same size arrive, and what follows them") {
  MpiLink link(duplicate(), duplicate(), {}, std::make_shared<std::mutex>(), 1'000);
  weir::Fingerprint const operation;
  for (std::size_t const size : {1'000u, 3'000u, 0u, 2'000u, 999u, 1'001u}) {
    std::vector<char> bytes(size, link.rank() == 0 ? 'a' : 'b');
    link.begin(operation);
    if (link.rank() == 0) link.send(bytes.data(), size, 1, MpiLink::exchange_tag);
    if (link.rank() == 1) link.receive(bytes.data(), size, 0, MpiLink::exchange_tag);
    link.wait(operation);
    CHECK(bytes == std::vector<char>(size, link.rank() <= 1 ? 'a' : 'b'));
  }
}

TEST_CASE("tags tell operations apart and leave the small ones free") {
  MpiLink const link(duplicate(), duplicate(), {}, std::make_shared<std::mutex>());
  weir::Fingerprint first;
  first.sequence = 1;
  weir::Fingerprint second = first;
  CHECK(link.tag_of(first) == link.tag_of(second));
  CHECK(MpiLink::shape_hash(first) == MpiLink::shape_hash(second));
  second.sequence = 2;
  CHECK(link.tag_of(first) != link.tag_of(second));
  CHECK(MpiLink::shape_hash(first) == MpiLink::shape_hash(second));
  second = first;
  second.count = 1;
  CHECK(link.tag_of(first) != link.tag_of(second));
  CHECK(link.tag_of(first) > MpiLink::agree_tag);
}
