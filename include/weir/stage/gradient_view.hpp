#pragma once

#include <cstddef>
#include <string>

#include "weir/core/error.hpp"
#include "weir/tensor/element_type.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// A view of gradients whose element type is known at run time only.
template <class Space>
struct GradientView {
  void* data = nullptr;
  std::size_t size = 0;
  ElementType type = ElementType::float32;

  GradientView() = default;
  GradientView(void* first, std::size_t count, ElementType element)
      : data(first), size(count), type(element) {}
  template <class Element>
  GradientView(TensorView<Element, Space> view)
      : data(view.data()), size(view.size()), type(element_type_of<Element>) {}

  /// Errors: `ContractViolation` if the elements are of another type.
  template <class Element>
  TensorView<Element, Space> as() const {
    if (type != element_type_of<Element>) {
      throw ContractViolation(std::string("a gradient of ") + name_of(type) + " was asked for as " +
                              name_of(element_type_of<Element>));
    }
    return {static_cast<Element*>(data), size};
  }

  /// `count` elements from `offset` on.
  GradientView part(std::size_t offset, std::size_t count) const {
    return {static_cast<std::byte*>(data) + offset * size_of(type), count, type};
  }
};

}  // namespace weir::inline v1
