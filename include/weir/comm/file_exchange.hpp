#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/core/file_replacement.hpp"

namespace weir::inline v1 {

/// Brings rank 0's bytes to all ranks through a file that all of them see: for processes that were started
/// without anything in common. The n-th exchange uses the file `<path>-<n>`, which stays.
///
/// The nonce is a text of this very run that all ranks know, such as a job's number and its attempt: a file
/// with another one is of an earlier run, and is not taken for this run's. Copies count the exchanges
/// together. Streams: blocks until the file is there. Errors: `PeerTimeout` if it is not within the deadline,
/// which says so where a stale file is in its place; `FileError` where it cannot be written.
class FileByteExchange {
 public:
  FileByteExchange(std::string path, std::string nonce, CommOptions const& options = {})
      : path_(std::move(path)),
        nonce_(std::move(nonce)),
        options_(options),
        exchanges_(std::make_shared<std::uint64_t>(0)) {
    if (nonce_.empty()) {
      throw ContractViolation(
          "FileByteExchange: the nonce is empty; without one a file of an earlier run cannot be told apart");
    }
  }

  void operator()(std::size_t rank, std::span<std::byte> bytes) const {
    std::uint64_t const number = (*exchanges_)++;
    std::string const path = path_ + '-' + std::to_string(number);
    if (rank == 0) {
      write(path, bytes);
    } else {
      wait_for(path, number, bytes);
    }
  }

 private:
  enum class Found : std::uint8_t { nothing, stale, good };

  /// What stands before the bytes.
  std::string head(std::span<std::byte const> bytes) const {
    std::uint64_t sum = layout_hash_seed;
    for (std::byte const byte : bytes) sum = layout_hash(sum, std::to_integer<std::uint64_t>(byte));
    return "weir exchange " + std::to_string(nonce_.size()) + ' ' + nonce_ + ' ' +
           std::to_string(bytes.size()) + ' ' + std::to_string(sum) + '\n';
  }

  void write(std::string const& path, std::span<std::byte const> bytes) const {
    FileReplacement file(path);
    file.write(head(bytes));
    file.write(bytes);
    file.commit();
  }

  void wait_for(std::string const& path, std::uint64_t number, std::span<std::byte> bytes) const {
    auto const end = options_.give_up_time();
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
      Found const found = read(path, bytes);
      if (found == Found::good) return;
      if (std::chrono::steady_clock::now() < end) continue;
      throw PeerTimeout(
          "FileByteExchange", number,
          "rank 0 has not written " + path + " within " + std::to_string(options_.deadline.count()) + " ms" +
              (found == Found::stale ? "; what is there is of another run, or was not written for " +
                                           std::to_string(bytes.size()) + " bytes"
                                     : ""));
    }
  }

  Found read(std::string const& path, std::span<std::byte> bytes) const {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return Found::nothing;
    std::vector<std::byte> content(head(bytes).size() + bytes.size() + 64);
    std::size_t const length = std::fread(content.data(), 1, content.size(), file);
    std::fclose(file);
    if (length < bytes.size()) return Found::stale;
    auto const tail = std::span(content).subspan(length - bytes.size(), bytes.size());
    std::string const before(reinterpret_cast<char const*>(content.data()), length - bytes.size());
    if (before != head(tail)) return Found::stale;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = tail[i];
    return Found::good;
  }

  std::string path_;
  std::string nonce_;
  CommOptions options_;
  std::shared_ptr<std::uint64_t> exchanges_;
};

}  // namespace weir::inline v1
