#include "weir/pipeline/stream_carrier.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/logging_executor.hpp"
#include "weir/core/error.hpp"
#include "weir/pipeline/buffer_guards.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

/// Workers 0 and 1 are at one place, worker 2 at another. It notes what it carries.
struct TwoPlaces {
  std::vector<std::size_t> places(std::uint32_t) { return {0, 0, 1}; }
  bool is_here(std::size_t) const { return true; }
  void open(std::span<weir::PipelineEdge const>, weir::MessageNumbers const&, LoggingExecutor const& home) {
    own.push_back(home);
  }
  std::span<LoggingExecutor const> streams() const { return own; }
  LoggingExecutor const& stream(std::size_t) const { return own[0]; }
  void transfer(std::span<weir::StreamTransfer const> transfers) {
    for (auto const& transfer : transfers) own[0].log->text += "carries " + weir::text(transfer.tag) + ' ';
  }
  void check() {
    if (hangs) throw weir::PeerTimeout("exchange", 1, "it hangs");
  }
  std::optional<weir::StreamTransfer> oldest() const {
    if (!is_known) return {};
    return weir::StreamTransfer{.edge = 2, .tag = {.micro_batch = 3, .stage = 1}};
  }
  void cancel() noexcept {}
  void clear() {}

  bool hangs = false;
  bool is_known = true;
  std::vector<LoggingExecutor> own;
};

/// Of a chain of three stages, each on its worker: outputs on edges 0 and 2, gradients on 1 and 3.
struct Chain {
  struct Layout {
    std::size_t bytes = 64;
  };
  struct Channel {
    std::size_t edge = 0;
    Layout const* layout = nullptr;
    std::unique_ptr<weir::MessagePool> arrivals;
  };

  Chain() {
    for (std::size_t edge = 0; edge < 4; ++edge)
      channels.push_back({edge, &size, std::make_unique<weir::MessagePool>(memory, 64, 1)});
  }
  Channel* forward(std::size_t lane) { return &channels[2 * lane]; }
  Channel* backward(std::size_t lane) { return &channels[2 * lane - 1]; }
  Channel* skip(std::size_t, std::size_t, bool) { return nullptr; }
  static weir::MessageTag tag(std::uint32_t run, weir::Operation const& of, Channel const& channel) {
    return {run, of.micro_batch, of.stage, 0, channel.edge % 2 == 0};
  }
  std::vector<weir::PipelineEdge> const& edges() const { return ways; }

  std::vector<weir::PipelineEdge> const ways{{0, 1, true}, {1, 0, false}, {1, 2, true}, {2, 1, false}};
  Layout size;
  std::byte memory[64];
  std::vector<Channel> channels;
};

}  // namespace

TEST_CASE("a message is handed over at one place, and goes to another when its entry has been issued") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 3, .micro_batches = 1});
  TwoPlaces places;
  auto const lanes = weir::detail::lane_map_of<LoggingExecutor>(places, table);
  weir::detail::PipelineProgram const program(table, lanes, {}, weir::Recompute::never, true);
  weir::detail::PipelineWatch watch(3, std::chrono::seconds(1));
  LoggingExecutor const executor;
  Chain channels;
  weir::detail::BufferGuards<LoggingExecutor> guards;
  guards.make(2, [&](std::size_t) { return executor; });
  weir::detail::StreamCarrier<LoggingExecutor, TwoPlaces> carrier(places);
  carrier.open(channels.edges(), 1, {}, executor, lanes);
  CHECK(carrier.capacity(2) == 1);

  std::byte memory[64];
  weir::MessagePool pool(memory, 64, 1, 1);
  auto const message = [&](std::uint16_t stage) {
    return weir::PipelineMessage{.tag = {.stage = stage}, .data = pool.take(), .bytes = 64, .home = &pool};
  };
  weir::PipelineMessage got;
  weir::PipelineMessage const first = message(0);
  CHECK(carrier.try_send(0, first, executor));
  CHECK(carrier.try_receive(0, first.tag, got, executor));
  CHECK(got.data == memory);
  pool.give_back(got.data);
  CHECK(executor.taken().find("carries") == std::string::npos);

  weir::PipelineMessage const second = message(1);
  CHECK(carrier.try_send(2, second, executor));
  CHECK_FALSE(carrier.try_receive(2, second.tag, got, executor));
  CHECK(executor.taken().find("carries") == std::string::npos);
  std::uint32_t worker = 0;
  // The forwards of the three workers come first.
  for (std::size_t entry = 0; entry < 2; ++entry)
    carrier.carry(0, program, entry, channels, lanes, guards, watch, worker);
  CHECK(worker == 1);
  std::string const log = executor.taken();
  CHECK(log.find("carries 1F0 r") == 0);
  CHECK(carrier.try_receive(2, second.tag, got, executor));
  CHECK(got.data == channels.memory);
  CHECK(pool.take() == memory);  // came back when it was carried
  CHECK_THROWS_AS(carrier.carry(0, program, 1, channels, lanes, guards, watch, worker),
                  weir::ContractViolation);
  carrier.start(executor.make_event());
  carrier.join(executor);
  CHECK(executor.taken().front() == 'w');
}

TEST_CASE("what can never end is the failure of who waits for it") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 3, .micro_batches = 1});
  TwoPlaces places;
  auto const lanes = weir::detail::lane_map_of<LoggingExecutor>(places, table);
  Chain const channels;
  weir::detail::StreamCarrier<LoggingExecutor, TwoPlaces> carrier(places);
  carrier.check(channels, lanes);
  carrier.remote().hangs = true;
  CHECK_THROWS_WITH_AS(carrier.check(channels, lanes), "worker 2, 1F3: exchange number 1: it hangs",
                       weir::PipelineError);
  carrier.remote().is_known = false;
  CHECK_THROWS_AS(carrier.check(channels, lanes), weir::PeerTimeout);
}
