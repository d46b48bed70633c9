#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/tensor/buffer.hpp"

/// Lets the cases that were written for host memory (comm/collective_cases.hpp) run over a communicator that
/// takes device memory: every vector is copied to the device before an operation and back after it.
template <class Communicator>
class Mirrored {
 public:
  template <class T>
  using Host = weir::TensorView<T, weir::HostSpace>;
  template <class T>
  using Device = weir::TensorView<T, weir::DeviceSpace>;
  using E = weir::CudaExecutor;

  explicit Mirrored(Communicator communicator) : communicator_(std::move(communicator)) {}

  std::size_t rank() const { return communicator_.rank(); }
  std::size_t size() const { return communicator_.size(); }
  void abort() const noexcept { communicator_.abort(); }

  template <class T>
  void all_reduce(E const& executor, Host<T> data, weir::ReduceOp op = weir::ReduceOp::sum) const {
    auto const device = upload(executor, data);
    communicator_.all_reduce(executor, device, op);
    download(executor, device, data);
  }

  template <class T>
  void all_gather(E const& executor, Host<std::type_identity_t<T> const> block, Host<T> all) const {
    auto const device_all = upload(executor, all);
    communicator_.all_gather(executor, Device<T const>(within(executor, block, all, device_all)), device_all);
    download(executor, device_all, all);
  }

  template <class T>
  void reduce_scatter(E const& executor, Host<std::type_identity_t<T> const> all, Host<T> part,
                      weir::ReduceOp op = weir::ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    auto const device_all = upload(executor, all);
    auto const device_part = within(executor, Host<T const>(part), all, device_all);
    communicator_.reduce_scatter(executor, Device<T const>(device_all), device_part, op, boundaries);
    download(executor, device_part, part);
  }

  template <class T>
  void broadcast(E const& executor, Host<T> data, std::size_t root) const {
    auto const device = upload(executor, data);
    communicator_.broadcast(executor, device, root);
    download(executor, device, data);
  }

  void exchange(E const& executor, std::span<weir::Transfer<weir::HostSpace> const> transfers) const {
    using Direction = weir::Transfer<weir::DeviceSpace>::Direction;
    auto& on_device = kept_->transfers.emplace_back();
    std::vector<std::function<void()>> downloads;
    for (auto const& transfer : transfers) {
      Host<std::byte> const memory(static_cast<std::byte*>(transfer.data), transfer.bytes);
      auto const device = upload(executor, memory);
      bool const is_send = transfer.direction == weir::Transfer<weir::HostSpace>::Direction::send;
      on_device.push_back({is_send ? Direction::send : Direction::receive, transfer.type, transfer.peer,
                           transfer.bytes, device.data()});
      if (!is_send) downloads.push_back([=] { download(executor, device, memory); });
    }
    communicator_.exchange(executor, std::span<weir::Transfer<weir::DeviceSpace> const>(on_device));
    for (auto const& download_one : downloads) download_one();
  }

 private:
  struct Kept {
    std::deque<weir::Buffer<std::byte, E>> memory;
    std::deque<std::vector<weir::Transfer<weir::DeviceSpace>>> transfers;
  };

  template <class T>
  Device<std::remove_const_t<T>> upload(E const& executor, Host<T> host) const {
    auto const& memory = kept_->memory.emplace_back(executor, host.size() * sizeof(T));
    copy_from_host(executor, host.data(), memory.data(), memory.size());
    return {reinterpret_cast<std::remove_const_t<T>*>(memory.data()), host.size()};
  }

  template <class T>
  static void download(E const& executor, Device<T> device, Host<T> host) {
    copy_to_host(executor, device.data(), host.data(), host.size() * sizeof(T));
  }

  /// The mirror of `part`, inside of that of `all` where the one is part of the other.
  template <class T, class U>
  Device<T> within(E const& executor, Host<T const> part, Host<U> all, Device<T> mirror) const {
    auto const place = [](T const* element) { return reinterpret_cast<std::uintptr_t>(element); };
    bool const is_inside = place(part.data()) >= place(all.data()) && place(part.end()) <= place(all.end());
    if (!is_inside) return upload(executor, part);
    return mirror.part(static_cast<std::size_t>(part.data() - all.data()), part.size());
  }

  Communicator communicator_;
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};
