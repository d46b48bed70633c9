#include "weir/pipeline/pipeline_arrivals.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

TEST_CASE("as many receives are posted ahead as asked for, each once, in the order of the list") {
  weir::detail::PipelineArrivals<int> arrivals;
  arrivals.resize(2);
  for (std::uint32_t j = 0; j < 4; ++j)
    arrivals.add(false, 1, {nullptr, {weir::OperationKind::forward, {}, 0, j}});
  std::vector<std::uint32_t> posted;
  auto const advance = [&](bool is_evaluation) {
    posted.clear();
    arrivals.advance(is_evaluation, 1, 2,
                     [&](auto const& arrival) { posted.push_back(arrival.operation.micro_batch); });
    return posted;
  };
  using List = std::vector<std::uint32_t>;
  for (int run = 0; run < 2; ++run) {
    arrivals.begin(1);
    CHECK(advance(false) == List{0, 1});
    CHECK(advance(false) == List{2});
    CHECK(advance(false) == List{3});
    CHECK(advance(false) == List{});
  }
  arrivals.begin(1);
  CHECK(advance(true) == List{});
}
