#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <type_traits>

#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

namespace detail {

/// Elements in a row, whatever the sizes at run time: without strides, or a vector whose inner stride is 1.
template <class Plain, class Stride>
inline constexpr bool is_contiguous_in_eigen = (Stride::InnerStrideAtCompileTime == 0 ||
                                                Stride::InnerStrideAtCompileTime == 1) &&
                                               (Stride::OuterStrideAtCompileTime == 0 ||
                                                Plain::IsVectorAtCompileTime);

template <class>
inline constexpr bool is_tensor_in_eigen = false;

}  // namespace detail

/// Eigen's owning types are tensors in host memory, their elements in the order in which Eigen stores them
/// (columns first, unless the type says otherwise).
template <class Scalar, int rows, int columns, int options, int max_rows, int max_columns>
struct memory_space_of<Eigen::Matrix<Scalar, rows, columns, options, max_rows, max_columns>> {
  using type = HostSpace;
};

template <class Scalar, int rows, int columns, int options, int max_rows, int max_columns>
struct memory_space_of<Eigen::Array<Scalar, rows, columns, options, max_rows, max_columns>> {
  using type = HostSpace;
};

/// So are maps without strides, and references to vectors.
template <class Plain, int options, class Stride>
requires detail::is_contiguous_in_eigen<Plain, Stride>
struct memory_space_of<Eigen::Map<Plain, options, Stride>> {
  using type = HostSpace;
};

template <class Plain, int options, class Stride>
requires detail::is_contiguous_in_eigen<Plain, Stride>
struct memory_space_of<Eigen::Ref<Plain, options, Stride>> {
  using type = HostSpace;
};

/// The elements that a temporary map refers to.
template <class Plain, int options, class Stride>
requires detail::is_contiguous_in_eigen<Plain, Stride>
auto view(Eigen::Map<Plain, options, Stride>&& map) {
  return view(map);
}

/// Refuses every other expression of Eigen, and a matrix that ends with the call.
template <class Derived>
void view(Eigen::DenseBase<Derived> const&) {
  static_assert(detail::is_tensor_in_eigen<Derived>,
                "this Eigen object is no tensor: its elements do not lie in a row (a map with strides, a "
                "block, an expression), or it is a temporary; copy it into a matrix that lives on");
}

}  // namespace weir::inline v1
