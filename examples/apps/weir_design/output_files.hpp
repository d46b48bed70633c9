#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "options.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/design_writer.hpp"
#include "weir_sparsify/npy.hpp"
#include "weir_train/errors.hpp"

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
        files_.push_back(path->empty() ? nullptr : std::make_unique<weir::FileReplacement>(*path));
      }
    });
  }

  /// Errors: `RunError`.
  void write(weir::AnyDesign const& design) {
    guarded([&] {
      design.visit([this](auto const& layout) {
        if (auto* file = files_[0].get()) weir::write_npy(layout, to(*file));
        if (auto* file = files_[1].get()) weir::write_matrix_market(layout, to(*file));
        if (auto* file = files_[2].get()) weir::write_matrix_svg(layout, to(*file));
        if (auto* file = files_[3].get()) weir::write_graph_svg(layout, to(*file));
        if (auto* file = files_[4].get()) weir::write_dot(layout, to(*file));
      });
    });
  }

  /// Errors: `RunError`.
  void write(Products const& products) {
    guarded([&] {
      write(products.result, *files_[5]);
      if (products.input_gradient) write(*products.input_gradient, *files_[6]);
      if (products.weight_gradient) write(*products.weight_gradient, *files_[7]);
    });
  }

  /// Errors: `RunError`.
  void commit() {
    guarded([this] {
      for (auto const& file : files_) {
        if (file) file->commit();
      }
    });
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

  std::vector<std::unique_ptr<weir::FileReplacement>> files_ = {};
};

}  // namespace weir_design
