#include "weir/host/event.hpp"

#include <doctest/doctest.h>

#include <thread>

TEST_CASE("an event never recorded has nothing to wait for") {
  weir::HostEvent const event;
  CHECK(event.announced() == 0);
  CHECK(event.reached(event.announced()));
  event.wait_until_reached(event.announced());
}

TEST_CASE(
    "a generation is reached when the stream has passed it, and stays so when the event is recorded again") {
  int stream = 0;
  weir::HostEvent const event;
  auto const first = event.announce(&stream);
  CHECK(event.announced() == first);
  CHECK(!event.reached(first));
  event.reach(first);
  CHECK(event.reached(first));
  auto const second = event.announce(&stream);
  CHECK(second == first + 1);
  CHECK(event.reached(first));
  CHECK(!event.reached(second));
}

TEST_CASE("copies are the same event") {
  int stream = 0;
  weir::HostEvent const event;
  weir::HostEvent const copy = event;
  auto const generation = event.announce(&stream);
  std::thread other([&] { copy.reach(generation); });
  event.wait_until_reached(copy.announced());
  other.join();
  CHECK(event.reached(1));
}

TEST_CASE("an event that two streams record is refused") {
  int streams[2] = {};
  weir::HostEvent const event;
  event.announce(&streams[0]);
  CHECK_THROWS_AS(event.announce(&streams[1]), weir::ContractViolation);
  CHECK_NOTHROW(event.announce(&streams[0]));
  CHECK(event.announced() == 2);
}
