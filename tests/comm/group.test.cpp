#include "weir/comm/group.hpp"

#include <doctest/doctest.h>

#include <vector>

using Direction = weir::Transfer<weir::HostSpace>::Direction;

TEST_CASE("a group lists its sends and receives in order") {
  std::vector<float> const sent(3);
  std::vector<double> received(2);
  weir::TransferGroup<weir::HostSpace> group;
  group.send(weir::view(sent), 4);
  group.receive(weir::view(received), 1);
  REQUIRE(group.size() == 2);
  auto const transfers = group.transfers();
  CHECK(transfers[0].direction == Direction::send);
  CHECK(transfers[0].peer == 4);
  CHECK(transfers[0].bytes == 12);
  CHECK(transfers[0].type == weir::WireType::float32);
  CHECK(transfers[0].data == sent.data());
  CHECK(transfers[1].direction == Direction::receive);
  CHECK(transfers[1].peer == 1);
  CHECK(transfers[1].bytes == 16);
  CHECK(transfers[1].data == received.data());
  group.clear();
  CHECK(group.transfers().empty());
}
