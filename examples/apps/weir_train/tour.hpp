#pragma once

#include <string>
#include <vector>

#include "configuration.hpp"

namespace weir_train {

/// A run for each way of training that a GPU has. All share out the same batches.
inline std::vector<Configuration> gpu_tour(Configuration const& common) {
  std::vector<Configuration> tour;
  for (std::size_t const workers : {1u, 2u, 4u}) {
    for (bool const capture : {false, true}) {
      Configuration configuration = common;
      configuration.name =
          "mlp 64-64, GPU, " + counted(workers, "stream worker") + (capture ? ", captured" : "");
      configuration.workers = workers;
      configuration.batch = 32 / workers;
      configuration.capture = capture;
      tour.push_back(configuration);
    }
  }
  for (bool const capture : {false, true}) {
    Configuration configuration = common;
    configuration.name =
        std::string("mlp 64-64, GPU, pipeline: 1f1b over 2 workers") + (capture ? ", captured" : "");
    configuration.pipeline = PipelineSetup{.schedule = weir::find_schedule("1f1b"), .workers = 2};
    configuration.micro_batches = 4;
    configuration.batch = 8;
    configuration.capture = capture;
    tour.push_back(configuration);
  }
  return tour;
}

/// A run for each way of training that exists. The first three share out the same batches, so they do the
/// same up to rounding, and the learning rate is one at which that does not grow.
inline std::vector<Configuration> tour(Configuration common) {
  common.epochs = 30;
  common.learning_rate = 0.05;
  if (common.device == DeviceKind::cuda) return gpu_tour(common);
  auto const with = [&common](auto change) {
    Configuration configuration = common;
    change(configuration);
    return configuration;
  };
  return {
      with([](Configuration& c) { c.name = "mlp 64-64, one worker"; }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, 4 stream workers x 2 micro-batches";
        c.workers = 4;
        c.micro_batches = 2;
        c.batch = 4;
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, 2 ranks on threads x 2 stream workers";
        c.ranks = 2;
        c.comm = CommKind::threads;
        c.workers = 2;
        c.batch = 8;
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, 2 ranks on threads x 2 stream workers, density 0.01";
        c.ranks = 2;
        c.comm = CommKind::threads;
        c.workers = 2;
        c.batch = 8;
        c.sparsification.emplace();
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, interleaved pipeline: wpipe over 2 workers";
        c.pipeline = PipelineSetup{.schedule = weir::find_schedule("wpipe"), .workers = 2};
        c.micro_batches = 2;
        c.batch = 16;
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, adamw, 2 stream workers, overlapped weights";
        c.optimizer = OptimizerKind::adamw;
        c.learning_rate = 0.003;
        c.weight_sync = weir::WeightPolicy::overlap;
        c.workers = 2;
        c.batch = 16;
      }),
      with([](Configuration& c) {
        c.name = "cnn, 2 stream workers";
        c.model = ModelKind::cnn;
        c.workers = 2;
        c.batch = 16;
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, block-design layers of density 0.25";
        c.masking = {.density = 0.25};
      }),
      with([](Configuration& c) {
        c.name = "mlp 64-64, all of them: wpipe, 2 ranks, density 0.01, block-design layers";
        c.pipeline = PipelineSetup{.schedule = weir::find_schedule("wpipe"), .workers = 2};
        c.ranks = 2;
        c.comm = CommKind::threads;
        c.micro_batches = 2;
        c.batch = 8;
        c.sparsification.emplace();
        c.masking = {.density = 0.25};
      }),
  };
}

}  // namespace weir_train
