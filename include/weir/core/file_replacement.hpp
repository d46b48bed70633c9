#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace weir::inline v1 {

/// A file could not be written. What was there before still is.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes a file as a whole or not at all: into a temporary file in the same folder, which takes the place of
/// the old one in `commit()`. Without that call, nothing has happened.
///
/// A path that names something other than a file, such as a pipe or `/dev/stdout`, is written directly.
/// Errors: FileError from every call, naming the path and the reason.
class FileReplacement {
 public:
  explicit FileReplacement(std::string path) : path_(std::move(path)), target_(path_) {
    struct stat status;
    bool const exists = ::stat(path_.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
      file_ = std::fopen(path_.c_str(), "wb");
    } else {
      if (exists) follow_links();
      create_temporary(exists ? status.st_mode & 07777 : 0);
    }
    if (file_ == nullptr) fail(errno);
  }

  FileReplacement(FileReplacement const&) = delete;
  FileReplacement& operator=(FileReplacement const&) = delete;

  ~FileReplacement() { discard(); }

  void write(std::span<std::byte const> bytes) { write(bytes.data(), bytes.size()); }
  void write(std::string const& text) { write(text.data(), text.size()); }

  /// Ends the content, which for want of room may fail. Only the name is left to be given to it, by
  /// `commit()`: of several files none should get it before all have come so far. Blocks until the content is
  /// on the disk.
  void finish() {
    if (is_finished_) return;
    if (file_ == nullptr) fail(EBADF);  // a call has failed before
    if (std::fflush(file_) != 0) fail(errno);
    if (!temporary_.empty() && ::fsync(::fileno(file_)) != 0) fail(errno);
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
    is_finished_ = true;
  }

  /// Puts the file in place, and finishes it before where that has not been done. Blocks until it is on the
  /// disk.
  void commit() {
    finish();
    if (temporary_.empty()) return;
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    temporary_.clear();
    remember_folder();
  }

 private:
  void write(void const* bytes, std::size_t size) {
    if (std::fwrite(bytes, 1, size, file_) != size) fail(errno);
  }

  void follow_links() {
    char* const resolved = ::realpath(path_.c_str(), nullptr);
    if (resolved == nullptr) fail(errno);
    target_ = resolved;
    std::free(resolved);
  }

  void create_temporary(mode_t old_mode) {
    int descriptor = -1;
    for (int attempt = 0; descriptor < 0; ++attempt) {
      temporary_ = target_ + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
      descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor < 0 && errno != EEXIST) {
        temporary_.clear();
        fail(errno);
      }
    }
    if (old_mode != 0) static_cast<void>(::fchmod(descriptor, old_mode));
    file_ = ::fdopen(descriptor, "wb");
    if (file_ == nullptr) ::close(descriptor);
  }

  /// The new name has to reach the disk too. Some file systems cannot be asked; the file is in place all the
  /// same.
  void remember_folder() const {
    std::size_t const slash = target_.rfind('/');
    std::string const folder = slash == std::string::npos ? "." : target_.substr(0, slash + 1);
    int const descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    static_cast<void>(::fsync(descriptor));
    ::close(descriptor);
  }

  void discard() noexcept {
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
    if (!temporary_.empty()) std::remove(temporary_.c_str());
    temporary_.clear();
  }

  [[noreturn]] void fail(int reason) {
    discard();
    throw FileError(path_ + ": cannot be written: " + std::generic_category().message(reason));
  }

  std::string path_;    ///< as given
  std::string target_;  ///< with links followed
  std::string temporary_;
  std::FILE* file_ = nullptr;
  bool is_finished_ = false;
};

}  // namespace weir::inline v1
