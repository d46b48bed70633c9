#pragma once

#include <string>

#include "weir/core/file_replacement.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/file_set.hpp"

namespace weir_schedule {

/// The files that a schedule is written to. Nothing is in place before `commit`. Errors: `UsageError` from
/// every call.
class OutputFiles {
 public:
  void add(char const* option, std::string const& path, std::string const& content) {
    try {
      files_.open(path)->write(content);
    } catch (weir::FileError const& error) {
      throw weir_train::UsageError(std::string(option) + " " + error.what() +
                                   "; a file that can be written would be right");
    }
  }

  /// Ends all of them. From here on each needs nothing but its name.
  void finish() {
    guarded([this] { files_.finish(); });
  }

  void commit() {
    guarded([this] { files_.commit(); });
  }

 private:
  template <class Work>
  static void guarded(Work const& work) {
    try {
      work();
    } catch (weir::FileError const& error) {
      throw weir_train::UsageError(std::string(error.what()) + "; a file that can be written would be right");
    }
  }

  weir_train::FileSet files_;
};

}  // namespace weir_schedule
