#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/half.hpp"

namespace weir::inline v1 {

/// The type of the numbers in a parameter or a gradient, where it is known at run time only.
enum class ElementType : std::uint8_t { float16, bfloat16, float32, float64 };

constexpr std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::float16:
    case ElementType::bfloat16:
      return 2;
    case ElementType::float32:
      return 4;
    case ElementType::float64:
      return 8;
  }
  return 0;
}

constexpr char const* name_of(ElementType type) {
  switch (type) {
    case ElementType::float16:
      return "float16";
    case ElementType::bfloat16:
      return "bfloat16";
    case ElementType::float32:
      return "float32";
    case ElementType::float64:
      return "float64";
  }
  return "unknown";
}

namespace detail {
template <class Element>
struct ElementTypeOf;
template <>
struct ElementTypeOf<half> : std::integral_constant<ElementType, ElementType::float16> {};
template <>
struct ElementTypeOf<bfloat16> : std::integral_constant<ElementType, ElementType::bfloat16> {};
template <>
struct ElementTypeOf<float> : std::integral_constant<ElementType, ElementType::float32> {};
template <>
struct ElementTypeOf<double> : std::integral_constant<ElementType, ElementType::float64> {};
}  // namespace detail

/// The run-time name of a C++ element type.
template <class Element>
inline constexpr ElementType element_type_of = detail::ElementTypeOf<std::remove_cv_t<Element>>::value;

/// Calls `f` with a null pointer of the element type: `visit_element(t, []<class T>(T*) { .. })`.
template <class Function>
decltype(auto) visit_element(ElementType type, Function&& f) {
  switch (type) {
    case ElementType::float16:
      return f(static_cast<half*>(nullptr));
    case ElementType::bfloat16:
      return f(static_cast<bfloat16*>(nullptr));
    case ElementType::float64:
      return f(static_cast<double*>(nullptr));
    case ElementType::float32:
      break;
  }
  return f(static_cast<float*>(nullptr));
}

}  // namespace weir::inline v1
