#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/exec/immediate_executor.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/host/executor.hpp"

/// A device whose memory is the host's and whose work is done when it is called: for what primitives do on
/// devices, where they may not look into the memory. It counts how often somebody has waited.
class DeviceLikeExecutor {
 public:
  using memory_space = weir::DeviceSpace;
  using stream_type = std::nullptr_t;
  struct event_type {};

  template <class Function>
  void submit(Function&& f) const {
    if constexpr (std::is_invocable_v<Function&>) {
      f();
    } else {
      f(*this);
    }
  }
  stream_type stream() const { return nullptr; }
  event_type make_event() const { return {}; }
  void record(event_type const&) const {}
  void wait(event_type const&) const {}
  void synchronize(event_type const&) const {}
  void synchronize() const { ++*waits_; }
  DeviceLikeExecutor fork() const { return *this; }
  weir::HostExecutor host_memory() const { return weir::HostExecutor(); }
  void* allocate(std::size_t bytes) const { return std::malloc(bytes); }
  void deallocate(void* memory, std::size_t) const noexcept { std::free(memory); }

  int waits() const { return *waits_; }

 private:
  std::shared_ptr<int> waits_ = std::make_shared<int>(0);
};

template <class T>
using DeviceLikeView = weir::TensorView<T, weir::DeviceSpace>;

template <class From, class To>
void copy(DeviceLikeExecutor const&, DeviceLikeView<From> in, DeviceLikeView<To> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    if constexpr (std::is_same_v<std::remove_const_t<From>, To>) {
      out[i] = in[i];
    } else {
      out[i] = static_cast<To>(static_cast<float>(in[i]));
    }
  }
}
template <class Real>
void copy(DeviceLikeExecutor const&, weir::TwoSidedView<Real, weir::DeviceSpace> in,
          std::type_identity_t<DeviceLikeView<Real>> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = in.current()[i];
}
template <class T>
void set_zero(DeviceLikeExecutor const&, DeviceLikeView<T> out) {
  for (T& value : out) value = T{};
}
template <class T>
void clear_if(DeviceLikeExecutor const& executor, DeviceLikeView<T> out, std::uint64_t const* condition) {
  if (*condition != 0) set_zero(executor, out);
}
template <class Step>
void apply_scalars(DeviceLikeExecutor const&, Step const& step) {
  step();
}
template <class Real>
void scatter_add(DeviceLikeExecutor const&, DeviceLikeView<std::uint32_t const> indices,
                 DeviceLikeView<Real const> values, std::uint64_t const* count, DeviceLikeView<Real> out) {
  for (std::size_t j = 0; j < *count && j < indices.size(); ++j) out[indices[j]] += values[j];
}
template <class Real>
void scatter_add(DeviceLikeExecutor const&, DeviceLikeView<std::uint32_t const> indices,
                 DeviceLikeView<Real const> values, std::uint64_t const* count,
                 weir::TwoSidedView<Real, weir::DeviceSpace> out) {
  for (std::size_t j = 0; j < *count && j < indices.size(); ++j) out.current()[indices[j]] += values[j];
}
inline void copy_to_host(DeviceLikeExecutor const&, void const* from, void* to, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}
inline void copy_from_host(DeviceLikeExecutor const&, void const* from, void* to, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}

/// Ranks that are threads, with such a device each.
class DeviceLikeCommunicator {
 public:
  explicit DeviceLikeCommunicator(weir::ThreadCommunicator below) : below_(std::move(below)) {}

  std::size_t rank() const { return below_.rank(); }
  std::size_t size() const { return below_.size(); }
  void abort() const noexcept { below_.abort(); }

  template <weir::Reducible T>
  void all_reduce(DeviceLikeExecutor const&, DeviceLikeView<T> data,
                  weir::ReduceOp op = weir::ReduceOp::sum) const {
    below_.all_reduce(host_, host(data), op);
  }
  template <weir::Transferable T>
  void all_gather(DeviceLikeExecutor const&, DeviceLikeView<std::type_identity_t<T> const> block,
                  DeviceLikeView<T> all) const {
    below_.all_gather(host_, host(block), host(all));
  }
  void exchange(DeviceLikeExecutor const&,
                std::span<weir::Transfer<weir::DeviceSpace> const> transfers) const {
    using There = weir::Transfer<weir::DeviceSpace>::Direction;
    using Here = weir::Transfer<weir::HostSpace>::Direction;
    std::vector<weir::Transfer<weir::HostSpace>> same;
    for (auto const& transfer : transfers)
      same.push_back({transfer.direction == There::send ? Here::send : Here::receive, transfer.type,
                      transfer.peer, transfer.bytes, transfer.data});
    below_.exchange(host_, std::span<weir::Transfer<weir::HostSpace> const>(same));
  }

 private:
  template <class T>
  static weir::TensorView<T, weir::HostSpace> host(DeviceLikeView<T> view) {
    return {view.data(), view.size()};
  }

  weir::ThreadCommunicator below_;
  weir::ImmediateExecutor<weir::HostExecutor> host_{weir::HostExecutor()};
};
