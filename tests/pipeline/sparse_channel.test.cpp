#include "weir/pipeline/sparse_channel.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <new>
#include <string>
#include <vector>

#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/core/random.hpp"
#include "weir/host/executor.hpp"
#include "weir/state/archive.hpp"

namespace {

constexpr std::size_t local_batch = 4;

/// Two tensors of 40 and 25 elements per sample, and one between that is not in the message.
template <class Real>
weir::detail::MessageLayout layout() {
  weir::detail::MessageLayout layout;
  for (std::size_t const elements : {40u, 0u, 25u}) {
    layout.elements.push_back(elements);
    layout.offsets.push_back(layout.bytes);
    layout.bytes += (elements * local_batch * sizeof(Real) + 63) / 64 * 64;
  }
  return layout;
}

/// A channel of which both ends are here, and a message.
template <class Real>
struct Way {
  explicit Way(weir::EdgeSparsifier<weir::HostExecutor, Real> const& sparsifier,
               weir::HostOptions const& options = {})
      : executor(options),
        channel(sparsifier, message, local_batch),
        data(message.bytes / sizeof(std::uint64_t)) {
    channel.open_sender(executor);
    channel.open_receiver(executor);
  }

  std::byte* bytes() { return reinterpret_cast<std::byte*>(data.data()); }
  Real* tensor(std::size_t k) { return reinterpret_cast<Real*>(bytes() + message.offsets[k]); }
  void fill(std::uint64_t seed) {
    weir::RandomStream const random{.seed = seed};
    for (std::size_t i = 0; i < message.bytes / sizeof(Real); ++i)
      reinterpret_cast<Real*>(bytes())[i] = static_cast<Real>(random.uniform(i)) - Real(0.5);
  }
  void pack(std::size_t samples) {
    executor.submit([&](auto const& point) { channel.pack(bytes(), samples, point); });
    executor.synchronize();
  }
  /// What is behind the packed message does not travel.
  void send(std::size_t samples = local_batch) {
    pack(samples);
    std::memset(bytes() + channel.bytes(), 0xee, message.bytes - channel.bytes());
    channel.unpack(bytes(), {.micro_batch = 7, .stage = 2});
  }

  weir::HostExecutor executor;
  weir::detail::MessageLayout message = layout<Real>();
  weir::detail::SparseChannel<weir::HostExecutor, Real> channel;
  std::vector<std::uint64_t> data;
};

auto feedback(double density) {
  return weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = density}}};
}

/// What came and what is kept are what was to be sent, bit for bit.
template <class Real>
void check_identity() {
  Way<Real> way(feedback(0.1));
  CHECK(way.channel.bytes() < way.message.bytes / 2);
  std::vector<Real> kept[2] = {std::vector<Real>(160), std::vector<Real>(100)};
  for (std::uint64_t step = 0; step < 20; ++step) {
    way.fill(step);
    std::vector<Real> due[2];
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < kept[k].size(); ++i) due[k].push_back(kept[k][i] + way.tensor(2 * k)[i]);
    }
    way.send();
    for (std::size_t k = 0; k < 2; ++k) {
      kept[k] = way.channel.selection().residual(k);
      std::size_t sent = 0;
      bool is_whole = true;
      for (std::size_t i = 0; i < kept[k].size(); ++i) {
        Real const came = way.tensor(2 * k)[i];
        if (came != 0) ++sent;
        is_whole = is_whole && (came == due[k][i] ? kept[k][i] == 0 : came == 0 && kept[k][i] == due[k][i]);
      }
      CHECK(is_whole);
      CHECK(sent > 0);
      CHECK(sent <= 2 * kept[k].size() / 10);
    }
  }
}

std::string refusal(Way<float>& way) {
  try {
    way.channel.unpack(way.bytes(), {.micro_batch = 7, .stage = 2});
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("what is sent and what is kept are what was to be sent, bit for bit, over many messages") {
  check_identity<float>();
  check_identity<double>();
}

TEST_CASE("a sparsifier without feedback keeps nothing") {
  Way<float> way(weir::ThresholdSparsifier{{.density = 0.1}});
  way.fill(1);
  std::vector<float> const sent(way.tensor(0), way.tensor(0) + 160);
  way.send();
  CHECK(way.channel.selection().residual(0).empty());
  std::size_t came = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (way.tensor(0)[i] == 0) continue;
    ++came;
    CHECK(way.tensor(0)[i] == sent[i]);
  }
  CHECK(came > 0);
}

TEST_CASE("what pairs would not shorten is sent whole, whatever is in it") {
  for (double const density : {1.0, 0.6}) {
    Way<float> way(feedback(density));
    way.fill(1);
    way.tensor(0)[3] = -0.0f;
    way.tensor(0)[4] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> const before(way.tensor(0), way.tensor(0) + 160);
    std::vector<float> const second(way.tensor(2), way.tensor(2) + 100);
    way.send();
    CHECK(way.channel.bytes() <= way.message.bytes);
    CHECK(std::memcmp(way.tensor(0), before.data(), 160 * sizeof(float)) == 0);
    CHECK(std::memcmp(way.tensor(2), second.data(), 100 * sizeof(float)) == 0);
  }
}

TEST_CASE(
    "samples that a micro-batch lacks count as zeros, and what is kept of others stays in their place") {
  Way<float> first(feedback(0.1));
  first.fill(0);
  first.send();
  weir::Archive archive;
  first.channel.selection().save(archive, "");
  Way<float> way(feedback(0.1));
  way.channel.selection().load(archive, "");
  std::vector<float> kept = first.channel.selection().residual(0);
  double behind = 0;
  for (std::size_t i = 40; i < 160; ++i) behind += std::fabs(kept[i]);
  CHECK(behind > 10);
  for (std::uint64_t step = 1; step < 12; ++step) {
    std::size_t const there = 40 * (step == 6 ? local_batch : 1);
    way.fill(step);
    for (std::size_t i = there; i < 160; ++i) way.tensor(0)[i] = 1e6f;  // of messages before
    std::vector<float> due = kept;
    for (std::size_t i = 0; i < there; ++i) due[i] += way.tensor(0)[i];
    way.send(there / 40);
    kept = way.channel.selection().residual(0);
    std::size_t sent = 0;
    bool is_whole = true;
    for (std::size_t i = 0; i < 160; ++i) {
      float const came = way.tensor(0)[i];
      if (came != 0) ++sent;
      is_whole = is_whole && (came != 0 ? i < there && came == due[i] && kept[i] == 0 : kept[i] == due[i]);
    }
    CHECK(is_whole);
    CHECK(sent >= 16);  // the room is for those that are there
  }
}

TEST_CASE("a tensor that is not finite comes as NaN, and nothing of it is kept") {
  auto const check = [](weir::EdgeSparsifier<weir::HostExecutor, float> const& sparsifier) {
    Way<float> way(sparsifier);
    way.fill(1);
    way.send();
    std::vector<float> const kept = way.channel.selection().residual(0);
    way.fill(2);
    way.tensor(0)[17] = std::numeric_limits<float>::infinity();
    way.send();
    for (std::size_t i = 0; i < 160; ++i) CHECK(std::isnan(way.tensor(0)[i]));
    for (std::size_t i = 0; i < 100; ++i) CHECK(std::isfinite(way.tensor(2)[i]));
    CHECK(way.channel.selection().residual(0) == kept);
  };
  check(feedback(0.1));
  check(weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.1}, weir::RandomK{}}});
  check(weir::ThresholdSparsifier{{.density = 0.1}, weir::GaussianK{}});
}

TEST_CASE("a tensor that is not finite with what is kept comes as NaN, too") {
  Way<float> way(feedback(0.1));
  for (int message = 0; message < 3; ++message) {
    for (std::size_t k : {0u, 2u}) {
      for (std::size_t i = 0; i < 100; ++i) way.tensor(k)[i] = 3e38f;
    }
    way.send();
    std::size_t numbers = 0;
    for (std::size_t i = 0; i < 100; ++i) numbers += std::isnan(way.tensor(0)[i]) ? 0 : 1;
    CHECK(numbers == (message == 0 ? 100 : 0));
  }
}

TEST_CASE("a tensor of zeros comes as zeros") {
  Way<float> way(feedback(0.1));
  std::memset(way.bytes(), 0, way.message.bytes);
  way.send();
  for (std::size_t i = 0; i < 160; ++i) CHECK(way.tensor(0)[i] == 0);
}

TEST_CASE("pairs that cannot have been sent are refused, and nothing is written elsewhere") {
  Way<float> way(feedback(0.1));
  auto const pack = [&] {
    way.fill(1);
    way.pack(local_batch);
  };
  pack();
  way.data[0] ^= std::uint64_t{1} << 40;  // the number of pairs
  CHECK(refusal(way).find("2F7 came with 10995116") == 0);
  pack();
  way.bytes()[sizeof(weir::PairHeader) + 3] ^= std::byte{0x10};  // the first index
  std::string const text = refusal(way);
  CHECK(text.find("2F7 came with element 268435") == 0);
  CHECK(text.find("of a tensor that has 160: it was damaged on its way") != std::string::npos);
}

TEST_CASE("what is kept can be forgotten") {
  Way<float> way(feedback(0.1));
  way.fill(1);
  way.send();
  std::vector<std::uint64_t> const first = way.data;
  way.fill(1);
  way.send();
  CHECK(way.data != first);
  way.channel.selection().restart();
  way.fill(1);
  way.send();
  CHECK(way.data == first);
}

TEST_CASE(
    "slots that are drawn by chance are others in each message, and the same ones again from an archive") {
  weir::ThresholdSparsifier const draws{{.density = 0.1}, weir::RandomK{}};
  Way<float> way(draws);
  auto const came = [](Way<float>& by) {
    by.fill(1);
    by.send();
    return std::vector<float>(by.tensor(0), by.tensor(0) + 160);
  };
  std::vector<float> const first = came(way);
  std::vector<float> const second = came(way);
  CHECK(second != first);
  weir::Archive archive;
  way.channel.selection().save(archive, "");
  std::vector<float> const third = came(way);
  CHECK(third != second);
  CHECK(third != first);
  way.channel.selection().restart();
  CHECK(came(way) == first);
  Way<float> other(draws);
  other.channel.selection().check(archive, "", {});
  other.channel.selection().load(archive, "");
  CHECK(came(other) == third);
}

TEST_CASE("a message of nothing stays nothing") {
  weir::HostExecutor const executor;
  weir::detail::SparseChannel<weir::HostExecutor, float> channel(feedback(0.1), {{0}, {0}, 0}, local_batch);
  channel.open_sender(executor);
  channel.open_receiver(executor);
  CHECK(channel.bytes() == 0);
  channel.pack(nullptr, local_batch, executor);
  channel.unpack(nullptr, {});
}

TEST_CASE("where there is no memory to start anew, what is kept stays usable") {
  struct : std::pmr::memory_resource {
    bool is_full = false;
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      if (is_full) throw std::bad_alloc();
      return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
      std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    bool do_is_equal(memory_resource const& other) const noexcept override { return this == &other; }
  } memory;
  Way<float> way(feedback(0.1), {.memory = &memory});
  way.fill(1);
  way.send();
  std::vector<float> const kept = way.channel.selection().residual(0);
  memory.is_full = true;
  CHECK_THROWS_AS(way.channel.selection().restart(), weir::OutOfMemory);
  memory.is_full = false;
  CHECK(way.channel.selection().is_bound());
  CHECK(way.channel.selection().residual(0) == kept);
  way.channel.selection().restart();
  CHECK(way.channel.selection().residual(0) == std::vector<float>(160));
}
