// The fuzz target without a fuzzer: archives of every kind, and mutations of them that are the same in each
// run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "archive.fuzz.cpp"
#include "weir/core/half.hpp"

namespace {

using Bytes = std::vector<std::byte>;

std::vector<Bytes> seeds() {
  std::vector<Bytes> all = {{}, Bytes(64), Bytes(1000, std::byte{0xff})};
  all.push_back(weir::Archive{}.bytes());
  weir::Archive weights{{.element = "float32", .layout_hash = 0x1234'5678'9abc'def0u, .world_size = 3}};
  for (std::uint64_t bucket = 0; bucket < 3; ++bucket)
    weights.put("weights", bucket, std::vector<float>(7 * bucket, 0.5f));
  all.push_back(weights.bytes());
  weir::Archive mixed{{.element = "float64"}};
  mixed.put("step", 0, std::uint64_t{12});
  mixed.put("recipe", 0, "aggregate | all-reduce | sgd");
  mixed.put("halves", 5, std::vector<weir::bfloat16>(9));
  mixed.put("doubles", 0, std::vector<double>(4, 0.25));
  mixed.put("", 0, std::vector<float>{});
  all.push_back(mixed.bytes());
  return all;
}

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

void run_target(Bytes const& bytes) {
  CHECK(LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()) == 0);
}

}  // namespace

TEST_CASE("archives, and what a flip, a cut or a hostile number makes of them, are read or refused") {
  auto const all = seeds();
  for (Bytes const& seed : all) run_target(seed);
  Mutator mutate(1);
  std::size_t accepted = 0;
  std::set<std::string> refusals;
  for (std::size_t i = 0; i < 20'000; ++i) {
    Bytes bytes = mutate(all[i % all.size()], all[i * 7 % all.size()]);
    run_target(bytes);

    // What the target does as well: how far into the reader do the inputs come?
    if (bytes.size() < 64) continue;
    put_right(bytes);
    try {
      accepted += weir::Archive::from_bytes(bytes).size() > 0 ? 1 : 0;
    } catch (weir::ArchiveError const& error) {
      refusals.insert(error.what());
    }
  }
  CHECK(accepted > 500);
  CHECK(refusals.size() > 50);
}
