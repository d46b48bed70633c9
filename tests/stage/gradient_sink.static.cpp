#include "weir/stage/gradient_sink.hpp"

#include <type_traits>

#include "weir/host/executor.hpp"

using Sink = weir::GradientSink<weir::HostExecutor, double>;

static_assert(std::is_abstract_v<Sink>);
// A source is given a reference; it never owns the sink.
static_assert(!std::is_destructible_v<Sink>);
