#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "weir/host/executor.hpp"
#include "weir_sparsify/aligned_array.hpp"
#include "weir_sparsify/npy_file.hpp"
#include "weir_train/errors.hpp"

namespace weir_design {

/// "3 x 4"
inline std::string sides_text(std::size_t rows, std::size_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

/// A matrix, row by row, as a .npy file holds it.
struct MatrixFile {
  std::string path = {};
  weir::ElementType type = weir::ElementType::float32;
  std::size_t rows = 0;
  std::size_t columns = 0;
  weir_sparsify::AlignedArray<std::byte> bytes = {};

  /// Its elements, each rounded once where they are of another type. Waits.
  template <class Element>
  weir_sparsify::AlignedArray<Element> as(weir::HostExecutor const& executor) const {
    weir_sparsify::AlignedArray<Element> elements(rows * columns);
    weir::visit_element(type, [&]<class Source>(Source*) {
      weir::TensorView<Source const, weir::HostSpace> const from(
          reinterpret_cast<Source const*>(bytes.data()), rows * columns);
      copy(executor, from, elements.view());
    });
    executor.synchronize();
    return elements;
  }

  /// `what` are the columns. Errors: `RunError`.
  void check(std::size_t right_rows, std::size_t right_columns, char const* what) const {
    if (rows == right_rows && columns == right_columns) return;
    bool const is_transposed = rows == right_columns && columns == right_rows;
    throw weir_train::RunError(path + ": " + sides_text(rows, columns) +
                               (is_transposed ? ", the transpose of what is needed; " : "; ") +
                               sides_text(right_rows, right_columns) + ", " + what + ", would be right");
  }
};

/// Elements are float16, float32 or float64, or, where `may_be_bfloat16`, bfloat16 as uint16.
/// Errors: `RunError`.
inline MatrixFile read_matrix(std::string const& path, bool may_be_bfloat16) {
  using weir_sparsify::NpyArray;
  auto const check = [&path](weir_sparsify::NpyHead const& head) {
    if (head.shape.dimensions == 2) return;
    throw weir_train::RunError(path + ": an array of " + std::to_string(head.shape.dimensions) +
                               (head.shape.dimensions == 1 ? " dimension" : " dimensions") +
                               "; a matrix, of 2, would be right");
  };
  auto const read = [&]() -> NpyArray {
    try {
      return weir_sparsify::read_npy(path, false, check);
    } catch (weir_train::RunError const&) {
      try {
        if (may_be_bfloat16) return weir_sparsify::read_npy(path, true, check);
      } catch (weir_train::RunError const&) {
      }
      throw;
    }
  };
  NpyArray array = read();
  return {path, array.head.type, static_cast<std::size_t>(array.head.shape.sides[0]),
          static_cast<std::size_t>(array.head.shape.sides[1]), std::move(array.bytes)};
}

}  // namespace weir_design
