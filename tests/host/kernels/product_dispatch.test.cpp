#include "weir/host/kernels/product_dispatch.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <vector>

namespace {

TEST_CASE("parts cover every output and every sample once") {
  for (std::size_t outputs : {1, 5, 64, 1000}) {
    for (std::size_t largest : {1, 7, 64}) {
      for (std::size_t unit : {1, 2, 16}) {
        for (std::size_t samples : {0, 1, 15, 16, 100, 1024}) {
          for (std::size_t threads : {1, 2, 7}) {
            weir::detail::ProductParts const parts(outputs, largest, unit, samples, threads);
            REQUIRE(parts.block % unit == 0);
            CHECK(parts.block <= (largest > unit ? largest : unit));
            CHECK((parts.blocks - 1) * parts.block < outputs);
            CHECK(parts.blocks * parts.block >= outputs);
            CHECK(parts.samples * parts.sample_parts >= samples);
            if (samples != 0) CHECK((parts.sample_parts - 1) * parts.samples < samples);
            if (parts.sample_parts > 1) CHECK(parts.samples % 16 == 0);
            if (threads == 1) CHECK(parts.sample_parts <= 1);
          }
        }
      }
    }
  }
}

struct Count {
  static constexpr bool permutes = false;
  std::vector<std::atomic<int>>& calls;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    calls[part] += VectorBytes >= 16 ? 1 : 1000;
  }
};

TEST_CASE("every part is run once, whoever takes it") {
  for (std::size_t threads : {1, 3}) {
    weir::ThreadTeam team(threads);
    for (std::size_t parts : {0, 1, 20}) {
      std::vector<std::atomic<int>> calls(parts);
      weir::detail::multiply_parts(team, parts, Count{calls});
      for (auto const& count : calls) CHECK(count == 1);
    }
  }
}

}  // namespace
