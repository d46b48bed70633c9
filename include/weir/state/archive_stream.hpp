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
#include <vector>

#include "weir/core/error.hpp"
#include "weir/state/checksum.hpp"

// How the bytes of an archive get in and out of memory and files.

namespace weir::inline v1::detail {

/// Takes an archive from bytes in memory.
class MemorySource {
 public:
  explicit MemorySource(std::span<std::byte const> bytes) : bytes_(bytes) {}

  std::string name() const { return "archive"; }
  std::uint64_t size() const { return bytes_.size(); }
  void read(std::span<std::byte> out) {
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + position_, out.size());
    position_ += out.size();
  }

 private:
  std::span<std::byte const> bytes_;
  std::size_t position_ = 0;
};

/// Takes an archive from a file.
class FileSource {
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

  std::string const& name() const { return path_; }
  std::uint64_t size() const { return size_; }
  void read(std::span<std::byte> out) {
    if (std::fread(out.data(), 1, out.size(), file_) == out.size()) return;
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
class MemorySink {
 public:
  void write(std::span<std::byte const> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

/// Hands pieces on to a sink and keeps the checksum of what has passed.
template <class Sink>
class ArchiveWriter {
 public:
  explicit ArchiveWriter(Sink& sink) : sink_(sink) {}

  void write(std::span<std::byte const> bytes) {
    sum_.add(bytes);
    sink_.write(bytes);
  }
  template <class Number>
  void write_number(Number number) {
    write(std::as_bytes(std::span{&number, 1}));
  }
  void write_text(std::string const& text) { write(std::as_bytes(std::span{text})); }
  void write_checksum() { write_number(sum_.value()); }

 private:
  Sink& sink_;
  Checksum sum_;
};

/// Takes pieces from a source, never more than there are, and keeps the checksum of what has passed.
template <class Source>
class ArchiveReader {
 public:
  explicit ArchiveReader(Source& source) : source_(source), left_(source.size()) {}

  std::uint64_t left() const { return left_; }

  /// What is declared before any memory is taken for it has to be there.
  void require(std::uint64_t bytes, char const* what) const {
    if (bytes <= left_) return;
    damaged(std::string(what) + " of " + std::to_string(bytes) + " bytes where " + std::to_string(left_) +
            " are left");
  }
  void read(std::span<std::byte> out, char const* what) {
    require(out.size(), what);
    source_.read(out);
    sum_.add(out);
    left_ -= out.size();
  }
  template <class Number>
  Number read_number(char const* what) {
    Number number;
    read(std::as_writable_bytes(std::span{&number, 1}), what);
    return number;
  }
  std::string read_text(std::uint64_t length, char const* what) {
    require(length, what);
    std::string text(static_cast<std::size_t>(length), '\0');
    read(std::as_writable_bytes(std::span{text}), what);
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
  Source& source_;
  Checksum sum_;
  std::uint64_t left_;
};

}  // namespace weir::inline v1::detail
