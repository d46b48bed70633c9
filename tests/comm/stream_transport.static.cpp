#include "weir/comm/stream_transport.hpp"

#include "support/device_like.hpp"
#include "weir/host/executor.hpp"
#include "weir/pipeline/transport/events.hpp"
#include "weir/pipeline/transport/threads.hpp"

static_assert(weir::StreamTransport<weir::EventTransport<DeviceLikeExecutor>, DeviceLikeExecutor>);
static_assert(!weir::StreamTransport<weir::ThreadTransport, DeviceLikeExecutor>);
static_assert(weir::PipelineTransportOn<weir::EventTransport<DeviceLikeExecutor>, DeviceLikeExecutor>);
static_assert(weir::PipelineTransportOn<weir::ThreadTransport, weir::HostExecutor>);
static_assert(!weir::PipelineTransportOn<weir::ThreadTransport, DeviceLikeExecutor>);
static_assert(!weir::PipelineTransportOn<weir::EventTransport<weir::HostExecutor>, weir::HostExecutor>);
