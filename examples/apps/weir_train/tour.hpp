#pragma once

#include <vector>

#include "configuration.hpp"

namespace weir_train {

/// A run for each way of training that exists. Where it is the same mathematics, it gives the same loss.
inline std::vector<Configuration> tour(Configuration const& common) {
  auto const with = [&common](auto change) {
    Configuration configuration = common;
    change(configuration);
    return configuration;
  };
  return {with([](Configuration& c) { c.name = "mlp 64-64, one worker"; }),
          with([](Configuration& c) {
            c.name = "4 stream workers x 2 micro-batches";
            c.batch = 4;
            c.workers = 4;
            c.micro_batches = 2;
          })};
}

}  // namespace weir_train
