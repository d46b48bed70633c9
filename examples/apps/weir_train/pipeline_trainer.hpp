#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint_paths.hpp"
#include "epoch_end.hpp"
#include "evaluator.hpp"
#include "file_set.hpp"
#include "host_weights.hpp"
#include "make_network.hpp"
#include "network_cut.hpp"
#include "pipeline_shares.hpp"
#include "rank_sums.hpp"
#include "report.hpp"
#include "run_state.hpp"
#include "trainer.hpp"
#include "weights_hash.hpp"
#include "weir/core/random.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/fit_costs.hpp"
#include "weir/pipeline/hidden_reduce.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/reduce_slack.hpp"
#include "weir/pipeline/schedule_svg.hpp"
#include "weir/pipeline/schedule_trace.hpp"
#include "weir/pipeline/timeline.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir/stage/recipe.hpp"

namespace weir_train {

/// As many versions of weights as a table needs: one with a flush, else what its schedule's rule says.
class NeededVersions {
 public:
  explicit NeededVersions(weir::TableView const& table) {
    for (weir::StageVersions const& stage : weir::weight_versions(table)) versions_.push_back(stage.live);
  }

  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const { return versions_[stage]; }

 private:
  std::vector<std::uint32_t> versions_;
};

/// Trains one rank as a pipeline, or as several that share out its samples and sum their gradients before the
/// ranks do, by `Gradients`: `WholeGradients` or `SparsifiedGradients`. One thread drives them all. `Device`
/// is `HostPipelines` or `CudaPipelines`.
template <class Device, class Gradients, class Communicator>
class PipelineTrainer {
  using Executor = typename Device::Executor;
  using Memory = typename Device::Memory;
  using Pipeline = weir::InterleavedPipeline<Executor, float, NeededVersions>;

 public:
  /// The memory outlives the communicator.
  PipelineTrainer(Run const& run, Communicator const& communicator, Memory& memory)
      : run_(run),
        communicator_(communicator),
        memory_(memory),
        network_(make_network(c_, data_.train)),
        shares_(c_, data_.train.size(), communicator.rank()),
        table_(c_.pipeline->schedule->make_table(
            c_.pipeline->shape(shares_.micro_batches_per_run(), c_.micro_batches))),
        cut_(network_, table_.properties().stages, table_.properties().synchronous),
        device_(c_, network_, data_.train, cut_, shares_, memory),
        weights_(host_weights(network_.elements())) {
    if (run.checkpoints.empty()) return;
    RunState const saved = RunState::load(checkpoint());
    saved.check(state(0), c_, loaded_path(c_, communicator_.rank()));
    seed_ = saved.seed;
    first_epoch_ = saved.epoch;
  }

  Outcome train() {
    if (c_.optimizer == OptimizerKind::adamw) return train(weir::AdamW{{.learning_rate = c_.learning_rate}});
    return train(weir::Sgd{{.learning_rate = c_.learning_rate, .momentum = c_.momentum}});
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A pipeline and its weights.
  struct Replica {
    Replica(PipelineTrainer& trainer, std::size_t index)
        : executor(trainer.executor_.fork()),
          weights(executor, trainer.network_.elements()),
          pipe(executor, trainer.table_, trainer.options(index), NeededVersions(trainer.table_)),
          feed(trainer.device_, executor) {}

    Executor executor;
    weir::Buffer<float, Executor> weights;
    Pipeline pipe;
    typename Device::Feed feed;
  };

  weir::PipelineOptions options(std::size_t index) const {
    return {.stages = cut_.layouts(),
            .local_batch = c_.batch,
            .seed = seed_,
            .remainder = weir::Remainder::partial,
            .replica = communicator_.rank() * c_.workers + index,
            .replicas = Device::replicas(c_),
            .first_bucket_bytes = c_.bucket_bytes.value_or(weir::BucketPlan::default_first_cap),
            .bucket_bytes = c_.bucket_bytes.value_or(weir::BucketPlan::default_cap),
            .records_times = index == 0 && (writes_timeline() || measures_sums())};
  }

  template <class Optimizer>
  Outcome train(Optimizer const& optimizer) {
    network_.initialise(seed_, weights_);
    std::vector<std::unique_ptr<Replica>> replicas;
    for (std::size_t index = 0; index < c_.workers; ++index) {
      replicas.push_back(std::make_unique<Replica>(*this, index));
      weir::from_host(executor_, std::span<float const>(weights_), replicas.back()->weights.view());
    }
    auto const bind = [&](std::size_t index, auto& groups) {
      return replicas[index]->pipe.bind_each(
          [&](std::size_t unit) {
            return Device::local_sum(groups[unit].replicas[index]) |
                   groups[unit].gradients[index].stages(groups[unit].ranks[index]) | optimizer;
          },
          replicas[index]->weights.view());
    };
    std::vector<Group> groups = make_groups();
    using Bound = decltype(bind(0, groups));
    std::vector<std::unique_ptr<Bound>> syncs;
    for (std::size_t index = 0; index < c_.workers; ++index)
      syncs.push_back(std::unique_ptr<Bound>(new Bound(bind(index, groups))));
    if (!run_.checkpoints.empty()) load(syncs);
    for (std::size_t epoch = first_epoch_; epoch < c_.epochs; ++epoch) train_epoch(epoch, replicas, syncs);
    if (writes_timeline()) write_timeline(replicas.front()->pipe.timeline());
    if (!c_.save.empty()) save(*syncs.front());
    if (!update_times_.empty()) outcome_.sums = least_hidden(replicas.front()->pipe);
    return summary(groups);
  }

  bool measures_sums() const {
    return Device::measures_times && communicator_.rank() == 0 && c_.workers * communicator_.size() > 1;
  }

  /// The part of a pipeline whose updates have exceeded most, in the last epoch, what its last run can hide.
  weir::HiddenReduce least_hidden(Pipeline const& pipe) const {
    std::vector<std::size_t> stages;
    for (std::size_t part = 0; part < pipe.parts(); ++part) stages.push_back(pipe.stage_of(part));
    weir::Timeline const run = pipe.timeline();
    double const seconds_per_unit = static_cast<double>(run.ticks_per_unit) * 1e-9;
    auto const slack = weir::reduce_slack(table_, weir::fit_costs(run));
    auto const sums = weir::hidden_reduces(stages, update_times_, slack, seconds_per_unit);
    return *std::max_element(sums.begin(), sums.end(), [](auto const& left, auto const& right) {
      return left.measured - left.slack < right.measured - right.slack;
    });
  }

  RunState state(std::size_t epoch) const {
    std::size_t const sparsified_ranks = c_.sparsification ? communicator_.size() : 0;
    return {.model = model_text(c_),
            .optimizer = optimizer_text(c_),
            .sparsified_ranks = sparsified_ranks,
            .seed = seed_,
            .samples = data_.train.size(),
            .epoch = epoch,
            .is_pipeline = 1};
  }

  /// That of this rank.
  weir::Archive const& checkpoint() const {
    return run_.checkpoints[run_.checkpoints.size() == 1 ? 0 : communicator_.rank()];
  }

  /// The pipelines of a rank have the same state: what they remember is of the sum of their gradients.
  template <class Syncs>
  void load(Syncs const& syncs) {
    for (auto const& sync : syncs) {
      try {
        sync->load(checkpoint(), {.strict = false});
      } catch (weir::ArchiveError const& error) {
        refuse_checkpoint(c_, communicator_.rank(), error);
      }
      sync->set_learning_rate(c_.learning_rate);
    }
  }

  template <class Sync>
  void save(Sync& sync) const {
    weir::Archive archive;
    sync.save(archive);
    state(c_.epochs).save(archive);
    std::size_t const rank = communicator_.rank();
    if (has_checkpoint(c_, rank)) archive.write(checkpoint_path(c_.save, rank));
  }

  /// Who sums the gradients of a stage: first the pipelines of a rank, then for each of them the ranks.
  struct Group {
    std::vector<typename Device::Communicator> replicas;
    std::vector<Communicator> ranks;
    std::vector<Gradients> gradients;  // by pipeline
    weir::BucketPlan plan = {};
  };

  std::vector<Group> make_groups() const {
    std::vector<Group> groups;
    for (weir::StageLayout const& stage : cut_.layouts()) {
      if (stage.parameters.empty()) continue;
      Group group;
      group.replicas = Device::connect(c_.workers);
      for (std::size_t index = 0; index < c_.workers; ++index) {
        group.ranks.push_back(Device::ranks_of_stage(communicator_));
        group.gradients.emplace_back(c_, seed_);
      }
      group.plan = make_plan(c_, stage.parameters);
      groups.push_back(std::move(group));
    }
    return groups;
  }

  template <class Replicas, class Syncs>
  void train_epoch(std::size_t epoch, Replicas const& replicas, Syncs const& syncs) {
    auto const begin = Clock::now();
    weir::permutation<std::uint32_t>(seed_, static_cast<std::uint32_t>(epoch), order_);
    for (std::size_t index = 0; index < replicas.size(); ++index)
      replicas[index]->feed.begin_epoch(shares_.of(index, order_));
    for (std::size_t run = 0; run < shares_.runs(); ++run) {
      for (std::size_t index = 0; index < replicas.size(); ++index) {
        Replica& replica = *replicas[index];
        replica.feed.run(replica.pipe, *syncs[index], shares_.run(replica.feed.samples(), run));
      }
    }
    weir::LossSum loss;
    for (std::size_t index = 0; index < replicas.size(); ++index) {
      weir::LossSum const part = replicas[index]->feed.end_epoch(replicas[index]->pipe, *syncs[index]);
      loss.sum += part.sum;
      loss.samples += part.samples;
    }
    if (measures_sums()) update_times_ = syncs.front()->take_update_times();
    outcome_.steps += shares_.steps();
    outcome_.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    outcome_.train_loss = sums_.total(loss).mean();
    weights_ = weir::to_host(executor_, replicas.front()->weights.view());
    check_finite(c_, epoch, outcome_.train_loss, weights_);
    if (communicator_.rank() == 0) show_progress(c_, epoch, outcome_.train_loss);
  }

  bool writes_timeline() const {
    return (!c_.trace.empty() || !c_.timeline.empty()) && c_.writes_files && communicator_.rank() == 0;
  }

  /// The last run of the first pipeline.
  void write_timeline(weir::Timeline const& timeline) const {
    FileSet files;
    if (auto* file = files.open(c_.trace)) file->write(weir::schedule_trace(timeline));
    if (auto* file = files.open(c_.timeline))
      file->write(weir::schedule_svg(timeline, {.title = "The last run of " + title(c_)}));
    files.commit();
  }

  Outcome summary(std::vector<Group> const& groups) {
    outcome_.name = title(c_);
    outcome_.test_accuracy = Evaluator(network_, data_.test).accuracy(weights_);
    outcome_.samples_per_second =
        static_cast<double>((c_.epochs - first_epoch_) * data_.train.size()) / outcome_.seconds;
    for (Group const& group : groups) {
      if (communicator_.size() > 1)
        outcome_.bytes_sent_per_step += group.gradients.front().bytes_per_step(group.plan, outcome_.steps);
    }
    outcome_.parameters = network_.elements_of_dense();
    outcome_.nonzero_parameters = network_.live_elements();
    outcome_.peak_bytes = memory_.peak();
    outcome_.weights_hash = weights_hash(weights_);
    sums_.compare_weights(outcome_.weights_hash);
    return outcome_;
  }

  Run const& run_;
  Configuration const& c_ = run_.configuration;
  Dataset const& data_ = run_.data;
  Communicator communicator_;
  Memory& memory_;

  Network<float> network_;
  PipelineShares shares_;
  weir::ScheduleTable table_;
  NetworkCut cut_;
  Device device_;
  Executor const& executor_ = device_.executor();
  std::uint64_t seed_ = c_.seed;
  std::size_t first_epoch_ = 0;
  std::vector<float> weights_;  // on the host: before the training, and after each epoch
  std::vector<std::uint32_t> order_ = std::vector<std::uint32_t>(data_.train.size());
  std::vector<double> update_times_;  // by part, the longest of the last epoch
  RankSums<Executor, Communicator> sums_{executor_, communicator_};
  Outcome outcome_;
};

template <class Device, class Gradients, class Communicator>
Outcome train_pipeline(Run const& run, Communicator const& communicator, typename Device::Memory& memory) {
  return train_or_tell(run, communicator, [&] {
    return PipelineTrainer<Device, Gradients, Communicator>(run, communicator, memory).train();
  });
}

}  // namespace weir_train
