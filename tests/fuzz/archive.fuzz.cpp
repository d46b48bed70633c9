// libFuzzer: any bytes are either refused with an ArchiveError or are the archive that they say they are.
// `./dev check` runs it; archive.test.cpp does without a fuzzer.
//
// No mutation would ever hit the checksum, so each input is tried as it is and once more with it put right.

#include "weir/state/archive.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/state/checksum.hpp"

namespace {

void try_reading(std::vector<std::byte> const& bytes) {
  try {
    weir::Archive const archive = weir::Archive::from_bytes(bytes);
    if (weir::Archive::from_bytes(archive.bytes()).size() != archive.size()) std::abort();
  } catch (weir::ArchiveError const&) {
  }
}

/// Right magic, byte order, version and size, so that the rest of the reader is reached.
void put_right(std::vector<std::byte>& bytes) {
  static std::vector<std::byte> const sample = weir::Archive{{.element = "float32"}}.bytes();
  constexpr std::size_t constant = 16;
  std::uint64_t const size = bytes.size();
  std::memcpy(bytes.data(), sample.data(), constant);
  std::memcpy(bytes.data() + constant, &size, sizeof size);
  std::uint64_t const sum = weir::checksum(std::span{bytes}.first(bytes.size() - sizeof sum));
  std::memcpy(bytes.data() + bytes.size() - sizeof sum, &sum, sizeof sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::span const input = std::as_bytes(std::span{data, size});
  std::vector<std::byte> bytes{input.begin(), input.end()};
  try_reading(bytes);
  if (bytes.size() < 64) return 0;
  put_right(bytes);
  try_reading(bytes);
  return 0;
}
