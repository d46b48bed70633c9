#pragma once

#include <library_types.h>

#include <type_traits>

#include "weir/core/half.hpp"

namespace bench {

enum class Product { forward, input_gradient, weight_gradient };

inline constexpr Product products[] = {Product::forward, Product::input_gradient, Product::weight_gradient};

inline char const* name_of(Product product) {
  return product == Product::forward ? "Y = X W^T" : product == Product::input_gradient ? "dX = dY W" : "dW";
}

template <class Element>
inline constexpr cudaDataType_t type_of = std::is_same_v<Element, float>        ? CUDA_R_32F
                                          : std::is_same_v<Element, weir::half> ? CUDA_R_16F
                                                                                : CUDA_R_16BF;
template <class Element>
inline constexpr char const* type_name = std::is_same_v<Element, float>        ? "float"
                                         : std::is_same_v<Element, weir::half> ? "float16"
                                                                               : "bfloat16";

}  // namespace bench
