#pragma once

#include <optional>

#include "weir/host/executor.hpp"

namespace weir_train {

/// A handle on which what is called happens there and then, on the thread that calls: for layers, which have
/// a thread already. Several may use it at once.
inline weir::HostExecutor immediate_executor() {
  weir::HostExecutor const stream;
  std::optional<weir::HostExecutor> handle;
  stream.submit([&handle](weir::HostExecutor const& point) { handle.emplace(point); });
  stream.synchronize();
  return *handle;
}

}  // namespace weir_train
