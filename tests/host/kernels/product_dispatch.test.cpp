#include "weir/host/kernels/product_dispatch.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <vector>

namespace {

TEST_CASE("parts cover every output and every sample once") {
  for (std::size_t outputs : {1u, 5u, 64u, 1000u}) {
    for (std::size_t largest : {1u, 7u, 64u}) {
      for (std::size_t unit : {1u, 2u, 16u}) {
        for (std::size_t samples : {0u, 1u, 15u, 16u, 100u, 1024u}) {
          for (std::size_t threads : {1u, 2u, 7u}) {
            weir::detail::ProductParts const parts(outputs, largest, unit, samples, threads);
            REQUIRE(parts.block % unit == 0);
            CHECK(parts.block <= (largest > unit ? largest : unit));
            CHECK((parts.blocks - 1) * parts.block < outputs);
            CHECK(parts.blocks * parts.block >= outputs);
            CHECK(parts.samples * parts.sample_parts >= samples);
            if (samples != 0) CHECK((parts.sample_parts - 1) * parts.samples < samples);
            if (parts.sample_parts > 1) CHECK(parts.samples % 16 == 0);
            if (threads == 1) CHECK(parts.sample_parts <= 1);
            for (std::size_t most : {16u, 128u}) {
              weir::detail::ProductParts const short_parts(outputs, largest, unit, samples, threads, most);
              CHECK(short_parts.samples <= most);
              CHECK(short_parts.samples * short_parts.sample_parts >= samples);
              if (samples != 0) CHECK((short_parts.sample_parts - 1) * short_parts.samples < samples);
            }
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
  for (std::size_t threads : {1u, 3u}) {
    weir::ThreadTeam team(threads);
    for (std::size_t parts : {0u, 1u, 20u}) {
      std::vector<std::atomic<int>> calls(parts);
      weir::detail::multiply_parts(team, parts, Count{calls});
      for (auto const& count : calls) CHECK(count == 1);
    }
  }
}

}  // namespace
