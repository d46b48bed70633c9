#pragma once

// The same data on the host and on the device, for verbs that must do the same to both.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/host/executor.hpp"
#include "weir/tensor/buffer.hpp"

namespace both {

/// An array of a fixed capacity in either memory. A vector is laid into it at an offset, between elements
/// that nothing may touch.
template <class Element>
class Array {
 public:
  Array(weir::CudaExecutor const& executor, std::size_t capacity)
      : executor_(executor), device_(executor, capacity) {}

  void lay(std::vector<Element> const& values, std::size_t offset) {
    std::size_t const guard = 16;
    offset_ = offset;
    size_ = values.size();
    host_.assign(offset + size_ + guard, Element(-7.0f));
    for (std::size_t i = 0; i < size_; ++i) host_[offset + i] = values[i];
    weir::from_host(executor_, std::span<Element const>(host_), device_.view().part(0, host_.size()));
  }

  weir::HostView<Element> host() { return {host_.data() + offset_, size_}; }
  weir::HostView<Element const> host() const { return {host_.data() + offset_, size_}; }
  weir::DeviceView<Element> device() const { return device_.view().part(offset_, size_); }
  weir::DeviceView<Element const> constant() const { return device(); }

  /// Equal bit for bit, all around included; NaN may differ unless they must not.
  bool equal(bool with_nan = false) const {
    auto const there = weir::to_host(executor_, device_.view().part(0, host_.size()));
    for (std::size_t i = 0; i < host_.size(); ++i) {
      if (with_nan ? oracle::bits_of(there[i]) != oracle::bits_of(host_[i])
                   : !oracle::same(there[i], host_[i]))
        return false;
    }
    return true;
  }

 private:
  weir::CudaExecutor executor_;
  weir::Buffer<Element, weir::CudaExecutor> device_;
  std::vector<Element> host_;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

/// Numbers of many magnitudes, and sometimes what is none.
template <class Element>
std::vector<Element> numbers(std::size_t seed, std::size_t size, bool with_others = false) {
  auto values = oracle::Numbers(seed).vector<Element>(size);
  if (!with_others) return values;
  float const others[] = {std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN(),
                          0.0f,
                          -0.0f,
                          1e-45f,
                          65520.0f,
                          1e38f};
  for (std::size_t i = seed % 5; i < size; i += 13) values[i] = Element(others[i % 8]);
  return values;
}

/// Calls `check(offset, length)` for 0..31 and 0..129; says which failed.
template <class Check>
std::string failures(Check const& check) {
  std::size_t count = 0;
  std::string first;
  std::size_t const step = small_cases_only() ? 5 : 1;
  for (std::size_t offset = 0; offset < 32; offset += step) {
    for (std::size_t length = 0; length < 130; length += step) {
      if (check(offset, length)) continue;
      if (count++ == 0) first = "offset " + std::to_string(offset) + ", length " + std::to_string(length);
    }
  }
  return count == 0 ? "" : std::to_string(count) + " failures, first at " + first;
}

inline std::vector<std::size_t> large_sizes() {
  return {4'096, 4'097, 70'001, case_size(1'000'003, 20'001), case_size(6'250'007, 30'001)};
}

/// A scalar in device memory, read back.
template <class Value>
class Scalar {
 public:
  Scalar(weir::CudaExecutor const& executor, Value const& value) : executor_(executor), memory_(executor, 1) {
    weir::from_host(executor, std::span<Value const>(&value, 1), memory_.view());
  }
  Value* get() const { return memory_.data(); }
  Value value() const { return weir::to_host(executor_, memory_.view())[0]; }

 private:
  weir::CudaExecutor executor_;
  weir::Buffer<Value, weir::CudaExecutor> memory_;
};

}  // namespace both
