// The fuzz target without a fuzzer: archives of every kind, and mutations of them that are the same in each
// run.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "archive.fuzz.cpp"
#include "mutator.hpp"
#include "weir/core/half.hpp"

namespace {

using weir_test::Bytes;
using weir_test::Mutator;

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
