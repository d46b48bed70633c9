#include "weir/comm/pollable.hpp"

#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"

struct WithoutPoll : weir::SelfCommunicator {
  void poll() const;
};

static_assert(weir::PollableCommunicator<weir::SelfCommunicator>);
static_assert(weir::PollableCommunicator<weir::ThreadCommunicator>);
static_assert(!weir::PollableCommunicator<WithoutPoll>);
