#pragma once

#include <library_types.h>

#include <cstdio>
#include <string>
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

/// As 1/8 if it is one of these.
inline std::string density_text(double density) {
  char text[32];
  double const inverse = 1 / density;
  bool const is_whole = inverse == static_cast<double>(static_cast<int>(inverse));
  std::snprintf(text, sizeof text, is_whole ? "1/%g" : "%g", is_whole ? inverse : density);
  return text;
}

}  // namespace bench
