#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {

/// Which of the two extents of a batch is contiguous.
enum class BatchOrder : std::uint8_t {
  batch_major,   // the features of a sample
  feature_major  // the samples of a feature
};

/// Features of several samples, anywhere in the memory of `Space`. Owns nothing; trivially copyable.
template <class Element, class Space>
struct BatchView {
  using element_type = Element;
  using memory_space = Space;

  Element* data = nullptr;
  std::size_t samples = 0;
  std::size_t features = 0;
  std::size_t stride = 0;  // elements from one sample to the next, or from one feature to the next
  BatchOrder order = BatchOrder::batch_major;

  WEIR_HOST_DEVICE constexpr bool is_batch_major() const { return order == BatchOrder::batch_major; }
  WEIR_HOST_DEVICE constexpr Element& operator()(std::size_t sample, std::size_t feature) const {
    return data[is_batch_major() ? sample * stride + feature : feature * stride + sample];
  }
  /// From the first element to behind the last.
  WEIR_HOST_DEVICE constexpr std::size_t extent() const {
    if (samples == 0 || features == 0) return 0;
    return is_batch_major() ? (samples - 1) * stride + features : (features - 1) * stride + samples;
  }
  /// A part of the samples, or of the features.
  WEIR_HOST_DEVICE constexpr BatchView part_of_samples(std::size_t first, std::size_t count) const {
    return {data + (is_batch_major() ? first * stride : first), count, features, stride, order};
  }
  WEIR_HOST_DEVICE constexpr BatchView part_of_features(std::size_t first, std::size_t count) const {
    return {data + (is_batch_major() ? first : first * stride), samples, count, stride, order};
  }

  template <std::same_as<Element const> Constant>  // nvcc dislikes one that constant views have and never use
  WEIR_HOST_DEVICE constexpr operator BatchView<Constant, Space>() const requires(!std::is_const_v<Element>) {
    return {data, samples, features, stride, order};
  }
};

/// Samples one after another; without a stride they lie close together.
template <class Space = HostSpace, class Element>
constexpr BatchView<Element, Space> batch_major(Element* data, std::size_t samples, std::size_t features,
                                                std::size_t stride = 0) {
  return {data, samples, features, stride == 0 ? features : stride, BatchOrder::batch_major};
}

/// Features one after another.
template <class Space = HostSpace, class Element>
constexpr BatchView<Element, Space> feature_major(Element* data, std::size_t samples, std::size_t features,
                                                  std::size_t stride = 0) {
  return {data, samples, features, stride == 0 ? samples : stride, BatchOrder::feature_major};
}

}  // namespace weir::inline v1
