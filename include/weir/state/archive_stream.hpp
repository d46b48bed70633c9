#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/state/checksum.hpp"

// How the bytes of an archive get in and out of memory and files.

namespace weir::inline v1::detail {

/// Where the bytes of an archive come from.
class ArchiveSource {
 public:
  virtual std::string name() const = 0;
  virtual std::uint64_t size() const = 0;
  virtual void read(void* out, std::size_t size) = 0;

 protected:
  ~ArchiveSource() = default;
};

/// Where the bytes of an archive go.
class ArchiveSink {
 public:
  virtual void write(void const* bytes, std::size_t size) = 0;

 protected:
  ~ArchiveSink() = default;
};

/// Takes an archive from bytes in memory.
class MemorySource final : public ArchiveSource {
 public:
  explicit MemorySource(std::span<std::byte const> bytes) : bytes_(bytes) {}

  std::string name() const override { return "archive"; }
  std::uint64_t size() const override { return bytes_.size(); }
  void read(void* out, std::size_t size) override {
    if (size > 0) std::memcpy(out, bytes_.data() + position_, size);
    position_ += size;
  }

 private:
  std::span<std::byte const> bytes_;
  std::size_t position_ = 0;
};

/// Takes an archive from a file.
class FileSource final : public ArchiveSource {
 public:
  explicit FileSource(std::string path) : path_(std::move(path)) {
    struct stat status;
    // Before it is opened, since to open a pipe is to wait for its writer.
    if (::stat(path_.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) refuse_kind();
    file_ = std::fopen(path_.c_str(), "rb");
    if (file_ == nullptr && errno == ENOENT) throw ArchiveError(path_ + ": no such file");
    if (file_ == nullptr) fail(errno);
    bool const is_file = ::fstat(::fileno(file_), &status) == 0 && S_ISREG(status.st_mode);
    if (is_file) {
      size_ = static_cast<std::uint64_t>(status.st_size);
      return;
    }
    std::fclose(file_);
    refuse_kind();
  }
  FileSource(FileSource const&) = delete;
  FileSource& operator=(FileSource const&) = delete;
  ~FileSource() { std::fclose(file_); }

  std::string name() const override { return path_; }
  std::uint64_t size() const override { return size_; }
  void read(void* out, std::size_t size) override {
    if (std::fread(out, 1, size, file_) == size) return;
    if (std::ferror(file_) != 0) fail(errno);
    throw ArchiveError(path_ + ": became shorter while it was read");
  }

 private:
  [[noreturn]] void refuse_kind() const { throw ArchiveError(path_ + ": is not a file"); }
  [[noreturn]] void fail(int reason) const {
    throw ArchiveError(path_ + ": cannot be read: " + std::generic_category().message(reason));
  }

  std::string path_;
  std::FILE* file_ = nullptr;
  std::uint64_t size_ = 0;
};

/// Gathers an archive in memory.
class MemorySink final : public ArchiveSink {
 public:
  /// `size`: of the archive, which is known before it is written.
  explicit MemorySink(std::uint64_t size) : bytes_(static_cast<std::size_t>(size)) {}

  void write(void const* bytes, std::size_t size) override {
    if (size > 0) std::memcpy(bytes_.data() + position_, bytes, size);
    position_ += size;
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t position_ = 0;
};

/// Puts an archive into a file.
class FileSink final : public ArchiveSink {
 public:
  explicit FileSink(FileReplacement& file) : file_(file) {}

  void write(void const* bytes, std::size_t size) override {
    file_.write({static_cast<std::byte const*>(bytes), size});
  }

 private:
  FileReplacement& file_;
};

/// Hands pieces on to a sink and keeps the checksum of what has passed.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(ArchiveSink& sink) : sink_(sink) {}

  void write(void const* bytes, std::size_t size) {
    sum_.add({static_cast<std::byte const*>(bytes), size});
    sink_.write(bytes, size);
  }
  template <class Number>
  void write_number(Number number) {
    write(&number, sizeof number);
  }
  void write_text(std::string const& text) { write(text.data(), text.size()); }
  void write_checksum() { write_number(sum_.value()); }

 private:
  ArchiveSink& sink_;
  Checksum sum_;
};

/// Takes pieces from a source, never more than there are, and keeps the checksum of what has passed.
class ArchiveReader {
 public:
  explicit ArchiveReader(ArchiveSource& source) : source_(source), left_(source.size()) {}

  std::uint64_t left() const { return left_; }

  /// What is declared before any memory is taken for it has to be there.
  void require(std::uint64_t bytes, char const* what) const {
    if (bytes <= left_) return;
    damaged(std::string(what) + " of " + std::to_string(bytes) + " bytes where " + std::to_string(left_) +
            " are left");
  }
  void read(void* out, std::size_t size, char const* what) {
    require(size, what);
    source_.read(out, size);
    sum_.add({static_cast<std::byte const*>(out), size});
    left_ -= size;
  }
  template <class Number>
  Number read_number(char const* what) {
    Number number;
    read(&number, sizeof number, what);
    return number;
  }
  std::string read_text(std::uint64_t length, char const* what) {
    require(length, what);
    std::string text(static_cast<std::size_t>(length), '\0');
    read(text.data(), text.size(), what);
    return text;
  }
  /// The last thing in an archive.
  void check_checksum() {
    std::uint64_t const seen = sum_.value();
    if (left_ != sizeof seen)
      damaged(std::to_string(left_) + " bytes follow the last section, not a checksum");
    if (read_number<std::uint64_t>("checksum") != seen) damaged("its checksum does not match its content");
  }

  [[noreturn]] void refuse(std::string const& reason) const {
    throw ArchiveError(source_.name() + ": " + reason);
  }
  [[noreturn]] void damaged(std::string const& reason) const { refuse("damaged: " + reason); }

 private:
  ArchiveSource& source_;
  Checksum sum_;
  std::uint64_t left_;
};

}  // namespace weir::inline v1::detail
