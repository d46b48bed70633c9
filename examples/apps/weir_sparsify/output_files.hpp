#pragma once

#include <string>

#include "bucket.hpp"
#include "npy.hpp"
#include "options.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/file_set.hpp"

namespace weir_sparsify {

/// The files that the last step is written to. What cannot be written is known when this is made, and
/// nothing is in place before `commit`.
class OutputFiles {
 public:
  /// Errors: `RunError`.
  explicit OutputFiles(OutputPaths const& paths) {
    guarded([&] {
      indices_ = files_.open(paths.indices);
      values_ = files_.open(paths.values);
      residual_ = files_.open(paths.residual);
    });
  }

  /// Errors: `RunError`.
  void write(Bucket& bucket) {
    guarded([&] {
      if (indices_ != nullptr) write(*indices_, bucket.indices());
      if (values_ != nullptr) write(*values_, bucket.values());
      if (residual_ != nullptr) write(*residual_, bucket.residual());
      files_.finish();
    });
  }

  /// Errors: `RunError`.
  void commit() {
    guarded([this] { files_.commit(); });
  }

 private:
  static void write(weir::FileReplacement& file, ArrayBytes const& array) {
    file.write(npy_header(array.descr, array.size));
    file.write(array.bytes);
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
  weir::FileReplacement* indices_ = nullptr;
  weir::FileReplacement* values_ = nullptr;
  weir::FileReplacement* residual_ = nullptr;
};

}  // namespace weir_sparsify
