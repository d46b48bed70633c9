#include "weir/tensor/buffer.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <type_traits>
#include <utility>

namespace {

struct Ledger {
  std::size_t bytes = 0;
  std::size_t calls = 0;
  std::size_t limit = 10'000;
};

struct Source {
  using memory_space = weir::HostSpace;

  void* allocate(std::size_t bytes) const {
    if (bytes > ledger->limit) throw weir::OutOfMemory(bytes);
    ledger->bytes += bytes;
    ++ledger->calls;
    return std::malloc(bytes);
  }
  void deallocate(void* memory, std::size_t bytes) const noexcept {
    ledger->bytes -= bytes;
    std::free(memory);
  }

  Ledger* ledger;
};
static_assert(weir::MemorySource<Source>);

using Buffer = weir::Buffer<double, Source>;
static_assert(!std::is_copy_constructible_v<Buffer> && !std::is_copy_assignable_v<Buffer>);
static_assert(std::is_nothrow_move_constructible_v<Buffer>);

}  // namespace

TEST_CASE("a buffer takes its memory once and gives back as much") {
  Ledger ledger;
  {
    Buffer buffer(Source{&ledger}, 10);
    CHECK(ledger.bytes == 10 * sizeof(double));
    CHECK(buffer.size() == 10);
    CHECK(buffer.view().size() == 10);
    CHECK(buffer.view().data() == buffer.data());
    buffer.data()[9] = 1.0;
  }
  CHECK(ledger.bytes == 0);
  CHECK(ledger.calls == 1);
}

TEST_CASE("an empty buffer takes nothing") {
  Ledger ledger;
  Buffer const buffer(Source{&ledger}, 0);
  CHECK(ledger.calls == 0);
  CHECK(buffer.data() == nullptr);
  CHECK(buffer.view().empty());
}

TEST_CASE("memory moves with the buffer, and is given back once") {
  Ledger first, second;
  {
    Buffer one(Source{&first}, 4);
    double* const data = one.data();
    Buffer other = std::move(one);
    CHECK(other.data() == data);
    CHECK(one.data() == nullptr);
    CHECK(one.size() == 0);
    other = Buffer(Source{&second}, 6);
    CHECK(first.bytes == 0);
    CHECK(other.size() == 6);
    CHECK(second.bytes == 6 * sizeof(double));
  }
  CHECK(second.bytes == 0);
}

TEST_CASE("memory that cannot be had is an error, also where the number of bytes does not fit a size") {
  Ledger ledger;
  CHECK_THROWS_AS(Buffer(Source{&ledger}, 10'001), weir::OutOfMemory);
  CHECK_THROWS_AS(Buffer(Source{&ledger}, std::numeric_limits<std::size_t>::max() / 4), weir::OutOfMemory);
  CHECK(ledger.bytes == 0);
}
