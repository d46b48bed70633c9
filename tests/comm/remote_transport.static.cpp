#include "weir/comm/remote_transport.hpp"

#include "weir/pipeline/transport/threads.hpp"

namespace {

struct Remote : weir::ThreadTransport {
  static constexpr std::size_t trailer_bytes = 64;
  static constexpr std::size_t prefetch = 2;
  std::vector<std::size_t> places(std::uint32_t workers);
  bool is_here(std::size_t place) const;
  void post_receive(std::size_t, weir::MessageTag const&, weir::PipelineMessage const&);
  bool try_flush(std::size_t);
  void cancel() noexcept;
  bool close() noexcept;
};

static_assert(weir::RemoteTransport<Remote>);
static_assert(!weir::RemoteTransport<weir::ThreadTransport>);

}  // namespace
