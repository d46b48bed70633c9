#include "weir/comm/remote_stream_transport.hpp"

#include "support/device_like.hpp"
#include "weir/comm/stream_transport.hpp"
#include "weir/pipeline/transport/events.hpp"

namespace {

struct Remote {
  std::vector<std::size_t> places(std::uint32_t workers);
  bool is_here(std::size_t place) const;
  void open(std::span<weir::PipelineEdge const>, weir::MessageNumbers const&, DeviceLikeExecutor const&);
  std::span<DeviceLikeExecutor const> streams() const;
  DeviceLikeExecutor const& stream(std::size_t edge) const;
  void transfer(std::span<weir::StreamTransfer const>);
  void check();
  std::optional<weir::StreamTransfer> oldest() const;
  void cancel() noexcept;
  void clear();
};

static_assert(weir::RemoteStreamTransport<Remote, DeviceLikeExecutor>);
static_assert(weir::PipelineTransportOn<Remote, DeviceLikeExecutor>);
static_assert(!weir::StreamTransport<Remote, DeviceLikeExecutor>);
static_assert(!weir::RemoteStreamTransport<weir::EventTransport<DeviceLikeExecutor>, DeviceLikeExecutor>);

}  // namespace
