#include "weir/comm/thread_member.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using weir::detail::ThreadMeeting;
using weir::detail::ThreadMember;

TEST_CASE("members reduce on the threads that call") {
  auto const meeting = std::make_shared<ThreadMeeting>(2, weir::CommOptions{});
  ThreadMember first(meeting, 0);
  ThreadMember second(meeting, 1);
  std::vector<double> left(1'000, 1.5);
  std::vector<double> right(1'000, 2.0);
  std::thread other([&] { second.all_reduce(right.data(), right.size(), weir::ReduceOp::sum); });
  first.all_reduce(left.data(), left.size(), weir::ReduceOp::sum);
  other.join();
  CHECK(left == std::vector<double>(1'000, 3.5));
  CHECK(right == left);
}

TEST_CASE("calls are counted from the call to the end") {
  ThreadMember member(std::make_shared<ThreadMeeting>(1, weir::CommOptions{}), 0);
  CHECK(member.is_idle());
  member.begin_call();
  CHECK_FALSE(member.is_idle());
  member.end_call();
  CHECK(member.is_idle());
}
