#pragma once

#include <memory>
#include <string>

#include "bucket.hpp"
#include "npy.hpp"
#include "options.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir_train/errors.hpp"

namespace weir_sparsify {

/// The files that the last step is written to. What cannot be written is known when this is made, and
/// nothing is in place before `commit`.
class OutputFiles {
 public:
  /// Errors: `RunError`.
  explicit OutputFiles(OutputPaths const& paths) {
    guarded([&] {
      open(paths.indices, indices_);
      open(paths.values, values_);
      open(paths.residual, residual_);
    });
  }

  /// Errors: `RunError`.
  void write(Bucket& bucket) {
    guarded([&] {
      if (indices_) write(*indices_, bucket.indices());
      if (values_) write(*values_, bucket.values());
      if (residual_) write(*residual_, bucket.residual());
    });
  }

  /// Errors: `RunError`.
  void commit() {
    guarded([this] {
      for (auto* file : {indices_.get(), values_.get(), residual_.get()}) {
        if (file != nullptr) file->commit();
      }
    });
  }

 private:
  using File = std::unique_ptr<weir::FileReplacement>;

  static void open(std::string const& path, File& file) {
    if (!path.empty()) file = std::make_unique<weir::FileReplacement>(path);
  }

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

  File indices_;
  File values_;
  File residual_;
};

}  // namespace weir_sparsify
