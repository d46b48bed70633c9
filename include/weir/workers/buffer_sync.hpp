#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// How buffers that are no parameters, such as running statistics, are kept together.
enum class BufferPolicy : std::uint8_t {
  none,       // each worker keeps its own
  from_main,  // those of worker 0 of rank 0 go to all
  average,    // averaged over workers and ranks, weighted by their samples; integers from the main worker
};

/// Synchronises the buffers of k workers, which stay per worker under every weight policy. Call it once per
/// step, before the first forward pass, on all ranks.
///
/// Streams: enqueues on the executor, which the workers' streams follow. Cost: `average`
/// holds one more buffer; one collective. Errors: `ContractViolation` if workers differ in size.
/// Source: [iidp]
template <Executor E, class Communicator, class Real = float>
class BufferSync {
 public:
  /// `floats[w]` and `integers[w]` are the buffers of worker w; they stay where they are.
  BufferSync(E const& executor, Communicator communicator, BufferPolicy policy,
             std::vector<ViewOn<Real, E>> floats, std::vector<ViewOn<std::int64_t, E>> integers = {})
      : communicator_(std::move(communicator)),
        policy_(policy),
        floats_(std::move(floats)),
        integers_(std::move(integers)),
        mean_(executor, policy == BufferPolicy::average && !floats_.empty() ? floats_[0].size() : 0) {
    check(floats_);
    check(integers_);
    communicator_.reserve(executor, (floats_.empty() ? 0 : floats_[0].size()) * sizeof(Real) +
                                        (integers_.empty() ? 0 : integers_[0].size()) * sizeof(std::int64_t));
  }

  /// `samples[w]` counted by worker w since the last call, `samples_of_all_ranks` by all; used by `average`
  /// only.
  void operator()(E const& executor, std::vector<std::size_t> const& samples,
                  std::size_t samples_of_all_ranks) {
    if (policy_ == BufferPolicy::none) return;
    if (policy_ == BufferPolicy::average) {
      average(executor, samples, samples_of_all_ranks);
    } else {
      spread(executor, floats_);
    }
    spread(executor, integers_);
  }

 private:
  template <class View>
  static void check(std::vector<View> const& views) {
    for (View const& view : views) {
      if (view.size() == views[0].size()) continue;
      throw ContractViolation("BufferSync: a worker has " + std::to_string(view.size()) +
                              " elements, worker 0 has " + std::to_string(views[0].size()));
    }
  }

  void average(E const& executor, std::vector<std::size_t> const& samples, std::size_t total) {
    if (floats_.empty() || total == 0) return;
    if (samples.size() != floats_.size()) {
      throw ContractViolation("BufferSync: samples of " + std::to_string(samples.size()) +
                              " workers, buffers of " + std::to_string(floats_.size()));
    }
    set_zero(executor, mean_.view());
    for (std::size_t worker = 0; worker < floats_.size(); ++worker) {
      double const share = static_cast<double>(samples[worker]) / static_cast<double>(total);
      add_scaled(executor, ViewOn<Real const, E>(floats_[worker]), static_cast<Real>(share), mean_.view());
    }
    communicator_.all_reduce(executor, mean_.view());
    for (auto const& buffer : floats_) copy(executor, ViewOn<Real const, E>(mean_.view()), buffer);
  }

  template <class Element>
  void spread(E const& executor, std::vector<TensorView<Element, typename E::memory_space>> const& views) {
    if (views.empty()) return;
    communicator_.broadcast(executor, views[0], std::size_t{0});
    for (std::size_t worker = 1; worker < views.size(); ++worker)
      copy(executor, ViewOn<Element const, E>(views[0]), views[worker]);
  }

  Communicator communicator_;
  BufferPolicy policy_;
  std::vector<ViewOn<Real, E>> floats_;
  std::vector<ViewOn<std::int64_t, E>> integers_;
  Buffer<Real, E> mean_;
};

}  // namespace weir::inline v1
