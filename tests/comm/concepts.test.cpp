#include "weir/comm/concepts.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "weir/comm/pollable.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"

namespace {

/// A transport of a user's own that can only sum.
struct OnlySums {
  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
  void abort() const noexcept {}
  template <class E>
  void all_reduce(E const&, weir::TensorView<float, weir::HostSpace>,
                  weir::ReduceOp = weir::ReduceOp::sum) const {}
};

/// Not one: a failure could not be passed on.
struct WithoutAbort {
  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
};

template <class C, class Element>
constexpr bool can_do_everything = weir::DescribedCommunicator<C>&& weir::PollableCommunicator<C>&&
    weir::SplittingCommunicator<C>&& weir::ReservingCommunicator<C, weir::HostExecutor>&&
        weir::PointToPointCommunicator<C, weir::HostExecutor>&& weir::ReducingCommunicator<
            C, weir::HostExecutor, Element>&& weir::GatheringCommunicator<C, weir::HostExecutor, Element>&&
            weir::ScatteringCommunicator<C, weir::HostExecutor, Element>&&
                weir::BroadcastingCommunicator<C, weir::HostExecutor, Element>;

}  // namespace

TEST_CASE("a transport is asked only for what is used") {
  CHECK(weir::RankedCommunicator<OnlySums>);
  CHECK(weir::ReducingCommunicator<OnlySums, weir::HostExecutor>);
  CHECK_FALSE(weir::ReducingCommunicator<OnlySums, weir::HostExecutor, double>);
  CHECK_FALSE(weir::ScatteringCommunicator<OnlySums, weir::HostExecutor>);
  CHECK_FALSE(weir::SplittingCommunicator<OnlySums>);
  CHECK_FALSE(weir::RankedCommunicator<WithoutAbort>);
}

TEST_CASE("the communicators of the library can do everything, on all element types") {
  CHECK(can_do_everything<weir::SelfCommunicator, float>);
  CHECK(can_do_everything<weir::SelfCommunicator, weir::half>);
  CHECK(can_do_everything<weir::ThreadCommunicator, double>);
  CHECK(can_do_everything<weir::ThreadCommunicator, std::uint32_t>);
  CHECK(weir::GatheringCommunicator<weir::ThreadCommunicator, weir::HostExecutor, std::byte>);
  CHECK_FALSE(weir::ReducingCommunicator<weir::ThreadCommunicator, weir::HostExecutor, std::byte>);
}
