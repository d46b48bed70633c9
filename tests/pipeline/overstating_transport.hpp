#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "weir/pipeline/transport/threads.hpp"

/// Says that each edge holds one message more than it does, until it is believed: so a table that is too
/// tight for it is run all the same.
struct OverstatingTransport : weir::ThreadTransport {
  explicit OverstatingTransport(std::uint32_t capacity) : ThreadTransport({.capacity = capacity}) {}

  std::uint32_t capacity(std::size_t edge) const {
    return ThreadTransport::capacity(edge) + (*is_believed ? 0 : 1);
  }

  std::shared_ptr<bool> is_believed = std::make_shared<bool>(false);
};

/// What to set when a pipeline has been bound to a transport, of whatever kind.
template <class Transport>
std::shared_ptr<bool> belief_in(Transport const& transport) {
  if constexpr (requires { transport.is_believed; }) {
    return transport.is_believed;
  } else {
    return std::make_shared<bool>();
  }
}
