#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "errors.hpp"

namespace weir_train {

/// A file that is read from its beginning, as far as it went when it was opened. Devices, pipes and folders,
/// which may have no end, are none. Errors: `RunError` that names it.
class InputFile {
 public:
  explicit InputFile(std::string path) : path_(std::move(path)) {
    // Does not wait for the writer of a pipe.
    int const descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) refuse(std::strerror(errno), "a readable file");
    file_.reset(::fdopen(descriptor, "rb"));
    struct stat status {};
    if (!file_ || ::fstat(descriptor, &status) != 0) {
      int const error = errno;
      if (!file_) ::close(descriptor);
      refuse(std::strerror(error), "a readable file");
    }
    if (!S_ISREG(status.st_mode)) refuse(kind(status), "a regular file");
    size_ = rest_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::string const& path() const { return path_; }
  /// Bytes of the whole file.
  std::uint64_t size() const { return size_; }
  /// Those that have not been read.
  std::uint64_t rest() const { return rest_; }

  /// Fills `to`, which has at most `rest()` bytes.
  void read(std::span<std::byte> to) {
    std::size_t const got = std::fread(to.data(), 1, to.size(), file_.get());
    rest_ -= got;
    if (got == to.size()) return;
    if (std::ferror(file_.get()) != 0) refuse(std::strerror(errno), "a readable file");
    refuse("it became shorter meanwhile", "a file that nobody writes");
  }

  /// The next bytes, at most so many.
  std::string read(std::uint64_t most) {
    std::string bytes(static_cast<std::size_t>(std::min(most, rest_)), '\0');
    read(std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static char const* kind(struct stat const& status) {
    if (S_ISDIR(status.st_mode)) return "it is a folder";
    if (S_ISFIFO(status.st_mode)) return "it is a pipe";
    return "it is a device";
  }

  [[noreturn]] void refuse(std::string const& what, std::string const& right) const {
    throw RunError(path_ + ": cannot be read (" + what + "); " + right + " would be right");
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t size_ = 0;
  std::uint64_t rest_ = 0;
};

}  // namespace weir_train
