#pragma once

#include <memory>
#include <string>
#include <vector>

#include "weir/core/file_replacement.hpp"

namespace weir_train {

/// The files that a program writes: all of them or none. What else may still fail, such as the report, comes
/// between `finish` and `commit`. Errors: `weir::FileError` from every call.
class FileSet {
 public:
  /// What cannot be written is known here. Null where the path is empty.
  weir::FileReplacement* open(std::string const& path) {
    if (path.empty()) return nullptr;
    files_.push_back(std::make_unique<weir::FileReplacement>(path));
    return files_.back().get();
  }

  /// Ends all of them. From here on each needs nothing but its name.
  void finish() {
    for (auto const& file : files_) file->finish();
  }

  /// Puts them in place.
  void commit() {
    finish();
    for (auto const& file : files_) file->commit();
  }

 private:
  std::vector<std::unique_ptr<weir::FileReplacement>> files_;
};

}  // namespace weir_train
