#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
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
/// Streams: enqueues on the executor, which the workers' streams follow. Where the communicator is that of a
/// recipe, not before its `settle`, which follows binding and resizing. Cost: `average` holds one more
/// buffer; one collective, and one of an integer where the samples of all ranks are not known. Errors:
/// `ContractViolation` if workers differ in size. Source: [iidp]
template <Executor E, class Communicator, class Real = float>
class BufferSync {
 public:
  using Floats = std::vector<ViewOn<Real, E>>;
  using Integers = std::vector<ViewOn<std::int64_t, E>>;

  /// `floats[w]` and `integers[w]` are the buffers of worker w; they stay where they are.
  BufferSync(E const& executor, Communicator communicator, BufferPolicy policy,
             std::vector<ViewOn<Real, E>> floats, std::vector<ViewOn<std::int64_t, E>> integers = {})
      : communicator_(std::move(communicator)),
        policy_(policy),
        floats_(std::move(floats)),
        integers_(std::move(integers)),
        mean_(executor, policy == BufferPolicy::average ? size_of_first(floats_) : 0),
        total_(executor, policy == BufferPolicy::average ? 1 : 0) {
    check(floats_, size_of_first(floats_));
    check(integers_, size_of_first(integers_));
    communicator_.reserve(executor, size_of_first(floats_) * sizeof(Real) +
                                        size_of_first(integers_) * sizeof(std::int64_t) +
                                        sizeof(std::uint64_t));
  }

  /// What it takes from its executor for `floats` elements of each worker, besides what the communicator
  /// reserves. Units: bytes.
  static constexpr std::size_t workspace_bytes(BufferPolicy policy, std::size_t floats) {
    return policy == BufferPolicy::average ? floats * sizeof(Real) + sizeof(std::uint64_t) : 0;
  }

  /// `samples[w]` counted by worker w since the last call, `samples_of_all_ranks` by all; used by `average`
  /// only. `samples_of_all_ranks` 0, on every rank: unknown, the ranks exchange one integer. The buffers of
  /// who has counted none are not read; where nobody has counted a sample the float buffers stay as they are.
  /// Errors: `ContractViolation` where it is unknown, there are other ranks and the executor is a device.
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

  /// The buffers of another number of workers, after `sync.resize`: those who are new get worker 0's.
  /// Errors: `ContractViolation` if there is no worker or a size has changed, with nothing changed.
  void resize(E const& executor, Floats floats, Integers integers = {}) {
    check_resized(floats_, floats);
    check_resized(integers_, integers);
    copy_to_new(executor, floats_.size(), floats);
    copy_to_new(executor, integers_.size(), integers);
    floats_ = std::move(floats);
    integers_ = std::move(integers);
  }

 private:
  template <class View>
  static std::size_t size_of_first(std::vector<View> const& views) {
    return views.empty() ? 0 : views[0].size();
  }

  template <class View>
  static void check(std::vector<View> const& views, std::size_t size) {
    for (View const& view : views) {
      if (view.size() == size) continue;
      throw ContractViolation("BufferSync: a worker has " + std::to_string(view.size()) +
                              " elements, worker 0 has " + std::to_string(size));
    }
  }

  template <class View>
  static void check_resized(std::vector<View> const& before, std::vector<View> const& views) {
    if (views.empty() != before.empty()) {
      throw ContractViolation("BufferSync: resized from buffers of " + std::to_string(before.size()) +
                              " workers to those of " + std::to_string(views.size()));
    }
    check(views, size_of_first(before));
  }

  template <class View>
  static void copy_to_new(E const& executor, std::size_t known, std::vector<View> const& views) {
    using Constant = ViewOn<typename View::element_type const, E>;
    for (std::size_t worker = known; worker < views.size(); ++worker)
      copy(executor, Constant(views[0]), views[worker]);
  }

  void average(E const& executor, std::vector<std::size_t> const& samples, std::size_t total) {
    if (floats_.empty()) return;
    if (samples.size() != floats_.size()) {
      throw ContractViolation("BufferSync: samples of " + std::to_string(samples.size()) +
                              " workers, buffers of " + std::to_string(floats_.size()));
    }
    if (total == 0 && communicator_.size() == 1) {
      total = std::accumulate(samples.begin(), samples.end(), std::size_t{0});
      if (total == 0) return;
    }
    if (total != 0) {
      average_known(executor, samples, total);
    } else if constexpr (HostOrderedExecutor<E>) {
      average_unknown(executor, samples);
    } else {
      throw ContractViolation(
          "BufferSync: the samples of all ranks are not known: on a device they have to be told");
    }
  }

  static Real share(std::size_t samples, std::size_t total) {
    return static_cast<Real>(static_cast<double>(samples) / static_cast<double>(total));
  }

  void average_known(E const& executor, std::vector<std::size_t> const& samples, std::size_t total) {
    set_zero(executor, mean_.view());
    for (std::size_t worker = 0; worker < floats_.size(); ++worker) {
      if (samples[worker] == 0) continue;
      add_scaled(executor, ViewOn<Real const, E>(floats_[worker]), share(samples[worker], total),
                 mean_.view());
    }
    communicator_.all_reduce(executor, mean_.view());
    for (auto const& buffer : floats_) copy(executor, ViewOn<Real const, E>(mean_.view()), buffer);
  }

  /// The same, where the total is known when the work runs.
  void average_unknown(E const& executor, std::vector<std::size_t> const& samples) {
    std::uint64_t const mine = std::accumulate(samples.begin(), samples.end(), std::uint64_t{0});
    executor.submit([total = total_.data(), mine] { *total = mine; });
    communicator_.all_reduce(executor, total_.view());
    set_zero(executor, mean_.view());
    for (std::size_t worker = 0; worker < floats_.size(); ++worker) {
      if (samples[worker] == 0) continue;
      ViewOn<Real const, E> const buffer(floats_[worker]);
      executor.submit([buffer, count = samples[worker], total = total_.data(), mean = mean_.view()](
                          E const& point) { add_scaled(point, buffer, share(count, *total), mean); });
    }
    communicator_.all_reduce(executor, mean_.view());
    for (auto const& buffer : floats_) {
      executor.submit(
          [buffer, total = total_.data(), mean = ViewOn<Real const, E>(mean_.view())](E const& point) {
            if (*total != 0) copy(point, mean, buffer);
          });
    }
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
  Floats floats_;
  Integers integers_;
  Buffer<Real, E> mean_;
  Buffer<std::uint64_t, E> total_;
};

}  // namespace weir::inline v1
