#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"
#include "options.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/design_writer.hpp"
#include "weir_sparsify/npy.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/file_set.hpp"

namespace weir_design {

/// The files that a design, and what its kernels gave, are written to. What cannot be written is known when
/// this is made, and nothing is in place before `commit`.
class OutputFiles {
 public:
  /// Errors: `RunError`.
  OutputFiles(OutputPaths const& paths, KernelOptions const& kernels) {
    guarded([&] {
      for (std::string const* path :
           {&paths.matrix, &paths.matrix_market, &paths.svg, &paths.graph_svg, &paths.dot, &kernels.result,
            &kernels.input_gradient, &kernels.weight_gradient}) {
        outputs_.push_back(files_.open(*path));
      }
    });
  }

  /// Errors: `RunError`.
  void write(weir::AnyDesign const& design) {
    guarded([&] {
      design.visit([this](auto const& layout) {
        if (auto* file = outputs_[0]) weir::write_npy(layout, to(*file));
        if (auto* file = outputs_[1]) weir::write_matrix_market(layout, to(*file));
        if (auto* file = outputs_[2]) weir::write_matrix_svg(layout, to(*file));
        if (auto* file = outputs_[3]) weir::write_graph_svg(layout, to(*file));
        if (auto* file = outputs_[4]) weir::write_dot(layout, to(*file));
      });
    });
  }

  /// Errors: `RunError`.
  void write(Products const& products) {
    guarded([&] {
      write(products.result, *outputs_[5]);
      if (products.input_gradient) write(*products.input_gradient, *outputs_[6]);
      if (products.weight_gradient) write(*products.weight_gradient, *outputs_[7]);
    });
  }

  /// Ends all of them. From here on each needs nothing but its name. Errors: `RunError`.
  void finish() {
    guarded([this] { files_.finish(); });
  }

  /// Errors: `RunError`.
  void commit() {
    guarded([this] { files_.commit(); });
  }

 private:
  struct ToFile {
    weir::FileReplacement& file;
    void operator()(std::string const& text) { file.write(text); }
  };
  static ToFile to(weir::FileReplacement& file) { return {file}; }

  static void write(MatrixBytes const& matrix, weir::FileReplacement& file) {
    file.write(weir_sparsify::npy_header(matrix.descr, matrix.rows, matrix.columns));
    file.write(matrix.bytes);
  }

  template <class Work>
  static void guarded(Work const& work) {
    try {
      work();
    } catch (weir::FileError const& error) {
      throw weir_train::RunError(std::string(error.what()) +
                                 "; a file in a folder that can be written to would be right");
    }
  }

  weir_train::FileSet files_;
  std::vector<weir::FileReplacement*> outputs_ = {};
};

}  // namespace weir_design
