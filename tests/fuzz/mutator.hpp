#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace weir_test {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string const& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline std::string text_of(Bytes const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Changes bytes at random places, the same in each run.
class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  Bytes operator()(Bytes bytes, Bytes const& other) {
    for (std::size_t count = 1 + below(4); count > 0; --count) mutate(bytes, other);
    return bytes;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : static_cast<std::size_t>(random_()) % end; }

  void mutate(Bytes& bytes, Bytes const& other) {
    std::size_t const at = below(bytes.size());
    std::size_t const length = std::min(bytes.size() - at, 1 + below(40));
    auto const place = [](std::size_t offset) { return static_cast<std::ptrdiff_t>(offset); };
    auto const begin = bytes.begin() + place(at);
    switch (below(7)) {
      case 0:
        if (!bytes.empty()) bytes[at] ^= std::byte{1} << below(8);
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<std::byte>(random_());
        break;
      case 2:
        write_number(bytes, at);
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.erase(begin, begin + place(length));
        break;
      case 5:
        bytes.insert(begin, 1 + below(40), static_cast<std::byte>(random_()));
        break;
      default: {
        std::size_t const from = below(other.size());
        bytes.insert(begin, other.begin() + place(from),
                     other.begin() + place(std::min(other.size(), from + length)));
      }
    }
  }

  /// A length or count of which a reader may think too little.
  void write_number(Bytes& bytes, std::size_t at) {
    std::uint64_t const numbers[] = {0,
                                     1,
                                     bytes.size(),
                                     bytes.size() + 1,
                                     std::uint64_t{1} << 32,
                                     std::uint64_t{1} << 62,
                                     std::uint64_t{1} << 63,
                                     ~std::uint64_t{0},
                                     ~std::uint64_t{0} - 7};
    std::uint64_t const number = numbers[below(std::size(numbers))];
    at = at / sizeof number * sizeof number;
    if (at + sizeof number <= bytes.size()) std::memcpy(bytes.data() + at, &number, sizeof number);
  }

  std::mt19937 random_;
};

}  // namespace weir_test
