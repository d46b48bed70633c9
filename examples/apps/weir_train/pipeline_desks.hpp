#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "layer.hpp"

namespace weir_train {

/// Working memory for as many calls of stages as may run at a time; the others wait for their turn. Allocates
/// when it is made only.
class PipelineDesks {
 public:
  struct Desk {
    std::vector<LayerPass<float>> passes;             // of the layers of a stage
    Eigen::Array<float, Eigen::Dynamic, 1> delta[2];  // gradients between layers
    std::vector<std::uint8_t> labels;
  };

  PipelineDesks(std::size_t count, std::size_t layers, std::size_t widest, std::size_t labels)
      : desks_(count) {
    for (Desk& desk : desks_) {
      desk.passes.resize(layers);
      for (auto& delta : desk.delta) delta.resize(static_cast<Index>(widest));
      desk.labels.resize(labels);
      free_.push_back(&desk);
    }
  }

  /// A desk, until this is gone.
  class Seat {
   public:
    explicit Seat(PipelineDesks& desks) : desks_(desks) {
      std::unique_lock lock(desks_.mutex_);
      desks_.released_.wait(lock, [&] { return !desks_.free_.empty(); });
      desk_ = desks_.free_.back();
      desks_.free_.pop_back();
    }
    ~Seat() {
      {
        std::lock_guard const lock(desks_.mutex_);
        desks_.free_.push_back(desk_);
      }
      desks_.released_.notify_one();
    }
    Seat(Seat const&) = delete;
    Seat& operator=(Seat const&) = delete;

    Desk* operator->() const { return desk_; }

   private:
    PipelineDesks& desks_;
    Desk* desk_;
  };

 private:
  std::vector<Desk> desks_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::vector<Desk*> free_;
};

}  // namespace weir_train
