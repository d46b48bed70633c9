#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/search_program.cuh"

namespace {

using Work = weir::detail::DeviceWork<float>;
using Passes = weir::detail::SearchPasses<Work>;
using weir::detail::SearchCommand;
using weir::detail::SearchPhase;
using weir::detail::SearchSource;

struct Bucket {
  std::vector<float> values;
  std::vector<std::uint64_t> scratch;
  Work work{};
  weir::detail::StepPlaces<float> places{};
  weir::SelectionKey key{1, 2, 3};
  std::unique_ptr<Passes::Memory> memory = std::make_unique<Passes::Memory>();

  explicit Bucket(std::size_t size) : values(size) {
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i % 100);
    work.layout = weir::detail::SparsifyLayout::of(size);
    scratch.resize(work.layout.bytes(sizeof(float)) / 8 + 1);
    work.scratch = reinterpret_cast<std::byte*>(scratch.data());
    places.accumulator = values.data();
    places.kept = values.data();
  }

  void run(SearchCommand<float> const& command, unsigned blocks) {
    for (unsigned index = blocks; index-- > 0;) {
      Passes(work, places, key, *memory, index, blocks).run(play::Block{}, command);
    }
  }
};

}  // namespace

TEST_CASE("blocks share what is counted, and leave their counters as they were") {
  for (unsigned const blocks : {1u, 3u, 40u}) {
    Bucket bucket(10'000);
    SearchCommand<float> command{};
    command.phase = SearchPhase::count;
    command.source = SearchSource::values;
    command.threshold = 89.5f;
    bucket.run(command, blocks);
    CHECK(bucket.work.header().counted == 1000);

    using Key = weir::MagnitudeKey<float>;
    command.phase = SearchPhase::bins;
    command.window = weir::detail::BinWindow<std::uint32_t>::below(Key::of(99.0f), 1, 15);
    bucket.run(command, blocks);
    std::uint64_t sum = 0;
    for (std::size_t bin = 0; bin < weir::detail::SparsifyLayout::bins; ++bin)
      sum += bucket.work.counters()[bin];
    CHECK(sum == 9900);  // all but zeros
    CHECK(bucket.work.counters()[command.window.bin(Key::of(64.0f))] == 100);
    for (std::uint32_t const count : bucket.memory->counters) REQUIRE(count == 0);
  }
}

TEST_CASE("what is not finite is cleared, in what is kept and in the momentum") {
  Bucket bucket(1000);
  std::vector<float> momentum(1000, 1.0f);
  bucket.values[999] = 1.0f / 0.0f;
  bucket.values[3] = -0.0f;
  momentum[500] = 0.0f / 0.0f;
  bucket.places.next_momentum = momentum.data();
  SearchCommand<float> command{};
  command.phase = SearchPhase::clear_non_finite;
  bucket.run(command, 3);
  CHECK(bucket.values[999] == 0.0f);
  CHECK(bucket.values[998] == 98.0f);
  CHECK(__builtin_signbit(bucket.values[3]));
  CHECK(momentum[500] == 0.0f);
  CHECK(momentum[501] == 1.0f);
}
