#pragma once

#include <mpi.h>

#include <stdexcept>
#include <string>

namespace weir::inline v1 {

/// An MPI call has failed; the text names the call, what MPI says, and where it was made.
class MpiError : public std::runtime_error {
 public:
  MpiError(std::string const& call, int code, char const* file, int line)
      : std::runtime_error(call + ": " + text_of(code) + " (" + file + ':' + std::to_string(line) + ')'),
        code_(code) {}

  int code() const { return code_; }

 private:
  static std::string text_of(int code) {
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "error " + std::to_string(code);
    return {text, static_cast<std::size_t>(length)};
  }

  int code_;
};

/// Throws `MpiError` unless `code` is success: `check_mpi(MPI_Isend(..), "MPI_Isend")`.
inline void check_mpi(int code, char const* call, char const* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  if (code != MPI_SUCCESS) throw MpiError(call, code, file, line);
}

}  // namespace weir::inline v1
