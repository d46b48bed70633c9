#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/concepts.hpp"
#include "weir/mask/exit_rule.hpp"

namespace weir::inline v1 {

/// The stages of a network with exits as those of a pipeline on a host, for its evaluations: stage e ends
/// with exit e, where samples leave by their rule; the rest goes on, closed up in its order. The last exit
/// takes all, and a stage that nobody has come to is not run.
///
/// `network.infer(micro, samples, logits)` puts the features of so many samples behind stage `micro.stage()`
/// into the first rows of the outputs, from those of the inputs, and samples x classes logits into `logits`.
/// `network.leave(micro, i, logits)` gets those of sample i of the micro-batch, which has left, on the worker
/// of the stage. Several workers call both at a time, for different stages or micro-batches.
///
/// Shapes: `StageLayout::outputs` are one element per sample, `{1, false}`, which says who is left, then the
/// features; `saved` is at least the classes. Messages have their whole size, whoever is left; no skip edge
/// carries features, since the rows behind an exit are others. A codec rounds who is left as well: with
/// `half` micro-batches have at most 2048 samples, with `bfloat16` 256. Errors: ContractViolation in a run
/// that trains, for no classes, or where rules or layouts do not fit.
template <class Network>
class ExitStage {
 public:
  /// One rule per exit but the last.
  ExitStage(Network& network, std::vector<ExitRule> rules, std::size_t classes)
      : network_(network), rules_(std::move(rules)), classes_(classes) {
    if (classes == 0) throw ContractViolation("ExitStage: 0 classes, at least 1 would be right");
  }

  template <class Micro>
  void forward(Micro& micro) const {
    static_assert(HostOrderedExecutor<typename Micro::executor_type>,
                  "how many samples are left decides what is enqueued, so exits need a pipeline on a host");
    check(micro);
    std::size_t const samples = samples_left(micro);
    if (samples == 0) return hand_on(micro, 0);
    auto const logits = std::span(micro.saved().data(), samples * classes_);
    network_.infer(micro, samples, logits);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      auto const own = logits.subspan(i * classes_, classes_);
      if (micro.is_last_stage() || rules_[micro.stage()].leaves(summarise_softmax(constant(own)))) {
        network_.leave(micro, sample_of(micro, i), constant(own));
      } else {
        move_row(micro, i, kept++);
      }
    }
    hand_on(micro, kept);
  }

  /// There is none of an evaluation.
  template <class Micro>
  void backward(Micro&) const {
    refuse_training();
  }

 private:
  template <class Real>
  static std::span<Real const> constant(std::span<Real> numbers) {
    return numbers;
  }

  template <class Micro>
  static std::size_t samples_left(Micro const& micro) {
    std::size_t const all = micro.samples().size();
    if (micro.is_first_stage()) return all;
    std::size_t count = 0;
    while (count < all && !(micro.input()[count] < 0)) ++count;
    return count;
  }

  template <class Micro>
  static std::size_t sample_of(Micro const& micro, std::size_t row) {
    return micro.is_first_stage() ? row : static_cast<std::size_t>(micro.input()[row]);
  }

  /// A row of each of the outputs, to its place or one before.
  template <class Micro>
  static void move_row(Micro const& micro, std::size_t from, std::size_t to) {
    using Real = std::remove_reference_t<decltype(micro.output()[0])>;
    micro.output()[to] = static_cast<Real>(sample_of(micro, from));
    if (from == to) return;
    std::size_t const samples = micro.samples().size();
    for (std::size_t k = 1; !micro.output(k).empty(); ++k) {
      auto const features = micro.output(k);
      std::size_t const width = features.size() / samples;
      for (std::size_t f = 0; f < width; ++f) features[to * width + f] = features[from * width + f];
    }
  }

  /// Ends the list of who is left.
  template <class Micro>
  static void hand_on(Micro const& micro, std::size_t kept) {
    if (micro.is_last_stage()) return;
    auto const left = micro.output();
    for (std::size_t i = kept; i < left.size(); ++i) left[i] = -1;
  }

  template <class Micro>
  void check(Micro const& micro) const {
    if (!micro.is_evaluation()) refuse_training();
    if (rules_.size() + 1 != micro.stages()) {
      throw ContractViolation("ExitStage: " + std::to_string(rules_.size()) + " rules for " +
                              std::to_string(micro.stages()) + " stages; " +
                              std::to_string(micro.stages() - 1) + " would be right");
    }
    std::size_t const samples = micro.samples().size();
    bool const says_who = micro.is_last_stage() || micro.output().size() == samples;
    if (says_who && micro.saved().size() >= samples * classes_) return;
    throw ContractViolation("ExitStage: the layout of stage " + std::to_string(micro.stage()) +
                            " must have 1 element of a sample as its first output, and " +
                            std::to_string(classes_) + " or more saved");
  }

  [[noreturn]] static void refuse_training() {
    throw ContractViolation(
        "ExitStage: samples leave in evaluations only; to train, the network itself would be right");
  }

  Network& network_;
  std::vector<ExitRule> rules_;
  std::size_t classes_;
};

}  // namespace weir::inline v1
