#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "weir/host/executor.hpp"
#include "weir_sparsify/aligned_array.hpp"
#include "weir_sparsify/npy.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/read_file.hpp"

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
  using weir_sparsify::NpyContent;
  using weir_sparsify::NpyError;
  std::string const file = weir_train::read_file(path);
  auto const parsed = [&]() -> NpyContent {
    try {
      return weir_sparsify::parse_npy(file, false);
    } catch (NpyError const& error) {
      try {
        if (may_be_bfloat16) return weir_sparsify::parse_npy(file, true);
      } catch (NpyError const&) {
      }
      throw weir_train::RunError(path + ": " + error.what());
    }
  };
  NpyContent const content = parsed();
  if (content.shape.dimensions != 2) {
    throw weir_train::RunError(path + ": an array of " + std::to_string(content.shape.dimensions) +
                               (content.shape.dimensions == 1 ? " dimension" : " dimensions") +
                               "; a matrix, of 2, would be right");
  }
  MatrixFile matrix{path, content.type, static_cast<std::size_t>(content.shape.sides[0]),
                    static_cast<std::size_t>(content.shape.sides[1]),
                    weir_sparsify::AlignedArray<std::byte>(content.data.size())};
  if (!content.data.empty()) std::memcpy(matrix.bytes.data(), content.data.data(), content.data.size());
  return matrix;
}

}  // namespace weir_design
