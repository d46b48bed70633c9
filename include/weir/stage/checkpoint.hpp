#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/rank_layout.hpp"
#include "weir/stage/weights.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

struct LoadOptions {
  bool strict = true;  // refuse another number of ranks, workers, micro-batches, another local batch, or
                       // another policy of a stage whose state would be lost
  bool same_buckets = true;  // refuse the same parameters in other buckets, which stages that keep their
                             // state by parameter can take
};

/// What a checkpoint says of a training run besides the state of the stages: the layout of the work, how far
/// it has come, and the weights, once. `Archive` is that of `state/archive.hpp`.
template <Executor E, class Real>
class Checkpoint {
 public:
  Checkpoint(E const& executor, BucketPlan const& plan, Weights<E, Real> const& weights,
             RankLayout const& ranks)
      : executor_(executor), plan_(plan), weights_(weights), ranks_(ranks) {}

  template <class Archive>
  void save(Archive& archive, std::uint64_t step, std::uint64_t consumed) const {
    archive.header() = {.element = name_of(element_type_of<Real>),
                        .layout_hash = plan_.layout_hash(),
                        .world_size = ranks_.ranks.size()};
    archive.put("step", 0, step);
    archive.put("consumed", 0, consumed);
    archive.put("layout", 0, entries());
    archive.put("parameters", 0, parameters());
    for (std::size_t parameter = 0; parameter < weights_.parameters(); ++parameter)
      archive.put("weights", parameter, to_host(executor_, weights_[parameter]));
  }

  /// Errors: `ArchiveError` that names the first field that differs, with both values.
  template <class Archive>
  void check(Archive const& archive, LoadOptions options) const {
    if (archive.header().element != name_of(element_type_of<Real>))
      refuse("element type", archive.header().element, name_of(element_type_of<Real>));
    if (archive.header().layout_hash != plan_.layout_hash())
      check_plan(archive.template get<std::uint64_t>("parameters", 0), options);
    for (std::size_t parameter = 0; parameter < weights_.parameters(); ++parameter)
      (void)archive.template get<Real>("weights", parameter, weights_[parameter].size());
    (void)archive.template get_value<std::uint64_t>("step", 0);
    (void)archive.template get_value<std::uint64_t>("consumed", 0);
    auto const saved = archive.template get<std::uint64_t>("layout", 0);
    if (options.strict) check_layout(saved);
  }

  template <class Archive>
  static void check_seed(Archive const& archive, std::uint64_t seed, LoadOptions options) {
    auto const saved = archive.template get_value<std::uint64_t>("seed", 0);
    if (options.strict && saved != seed) refuse("seed", std::to_string(saved), std::to_string(seed));
  }

  struct Position {
    std::uint64_t step;
    std::uint64_t consumed;
  };

  template <class Archive>
  Position load(Archive const& archive) const {
    for (std::size_t parameter = 0; parameter < weights_.parameters(); ++parameter)
      from_host(executor_, archive.template get<Real>("weights", parameter), weights_[parameter]);
    return {archive.template get_value<std::uint64_t>("step", 0),
            archive.template get_value<std::uint64_t>("consumed", 0)};
  }

 private:
  static constexpr std::size_t entries_per_rank = 3;

  std::vector<std::uint64_t> entries() const {
    std::vector<std::uint64_t> entries;
    for (WorkLayout const& rank : ranks_.ranks) {
      for (std::size_t value : {rank.workers, rank.micro_batches, rank.local_batch}) entries.push_back(value);
    }
    return entries;
  }

  /// Elements and element type of each parameter.
  std::vector<std::uint64_t> parameters() const {
    std::vector<std::uint64_t> entries;
    for (std::size_t parameter = 0; parameter < plan_.parameters(); ++parameter) {
      entries.push_back(plan_.parameter(parameter).elements);
      entries.push_back(static_cast<std::uint64_t>(plan_.parameter(parameter).type));
    }
    return entries;
  }

  void check_plan(std::span<std::uint64_t const> saved, LoadOptions options) const {
    auto const here = parameters();
    if (saved.size() != here.size())
      refuse("number of parameters", std::to_string(saved.size() / 2), std::to_string(here.size() / 2));
    auto const text = [](std::uint64_t const* entry) {
      return std::to_string(entry[0]) + " of " + name_of(static_cast<ElementType>(entry[1]));
    };
    for (std::size_t i = 0; i < here.size(); i += 2) {
      if (saved[i] != here[i] || saved[i + 1] != here[i + 1])
        refuse("parameter " + std::to_string(i / 2) + " of the bucket plan", text(&saved[i]), text(&here[i]));
    }
    if (options.same_buckets)
      throw ArchiveError("the bucket plan differs: the same parameters are in other buckets in the archive");
  }

  void check_layout(std::span<std::uint64_t const> saved) const {
    static constexpr char const* names[entries_per_rank] = {"workers", "micro-batches", "local batch"};
    auto const here = entries();
    if (saved.size() != here.size()) {
      refuse("number of ranks", std::to_string(saved.size() / entries_per_rank),
             std::to_string(here.size() / entries_per_rank));
    }
    for (std::size_t i = 0; i < here.size(); ++i) {
      if (saved[i] == here[i]) continue;
      refuse(std::string(names[i % entries_per_rank]) + " of rank " + std::to_string(i / entries_per_rank),
             std::to_string(saved[i]), std::to_string(here[i]));
    }
  }

  [[noreturn]] static void refuse(std::string const& field, std::string const& saved,
                                  std::string const& here) {
    throw ArchiveError("the " + field + " differs: " + saved + " in the archive, " + here + " here");
  }

  E executor_;
  BucketPlan const& plan_;
  Weights<E, Real> const& weights_;
  RankLayout const& ranks_;
};

}  // namespace weir::inline v1
