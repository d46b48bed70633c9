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

#include "counting_memory.hpp"
#include "epoch_end.hpp"
#include "evaluator.hpp"
#include "make_network.hpp"
#include "pipeline_shares.hpp"
#include "pipeline_stages.hpp"
#include "rank_sums.hpp"
#include "report.hpp"
#include "trainer.hpp"
#include "weights_hash.hpp"
#include "weir/comm/threads.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/core/random.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_svg.hpp"
#include "weir/pipeline/schedule_trace.hpp"
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
/// ranks do. One thread drives them all.
template <class Communicator>
class PipelineTrainer {
  using Executor = weir::HostExecutor;
  using Pipeline = weir::InterleavedPipeline<Executor, float, NeededVersions>;

 public:
  /// The memory outlives the communicator.
  PipelineTrainer(Run const& run, Communicator const& communicator, CountingMemory& memory)
      : run_(run),
        communicator_(communicator),
        memory_(memory),
        network_(make_network(c_, data_.train)),
        shares_(c_, data_.train.size(), communicator.rank()),
        table_(c_.pipeline->schedule->make_table(
            c_.pipeline->shape(shares_.micro_batches_per_run(), c_.micro_batches))),
        stages_(network_, data_.train,
                cut_network(network_, table_.properties().stages, table_.properties().synchronous), c_.batch,
                std::min(c_.threads, c_.workers * c_.pipeline->workers)),
        executor_({.threads = c_.threads, .memory = &memory}),
        weights_(network_.elements()) {}

  Outcome train() {
    try {
      if (c_.optimizer == OptimizerKind::adamw)
        return train(weir::AdamW{{.learning_rate = c_.learning_rate}});
      return train(weir::Sgd{{.learning_rate = c_.learning_rate, .momentum = c_.momentum}});
    } catch (RunError const&) {
      throw;  // on all ranks
    } catch (std::exception const& error) {
      run_.failed(error);
      throw;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A pipeline and its weights.
  struct Replica {
    Replica(PipelineTrainer& trainer, std::size_t index)
        : executor(trainer.executor_.fork()),
          weights(executor, trainer.network_.elements()),
          pipe(executor, trainer.table_, trainer.options(index), NeededVersions(trainer.table_)) {}

    Executor executor;
    weir::Buffer<float, Executor> weights;
    Pipeline pipe;
    std::vector<std::uint32_t> samples = {};  // of the runs under way
  };

  weir::PipelineOptions options(std::size_t index) const {
    return {.stages = stages_.layouts(),
            .local_batch = c_.batch,
            .seed = c_.seed,
            .remainder = weir::Remainder::partial,
            .replica = communicator_.rank() * c_.workers + index,
            .first_bucket_bytes = c_.bucket_bytes.value_or(weir::BucketPlan::default_first_cap),
            .bucket_bytes = c_.bucket_bytes.value_or(weir::BucketPlan::default_cap),
            .records_times = index == 0 && writes_timeline()};
  }

  template <class Optimizer>
  Outcome train(Optimizer const& optimizer) {
    network_.initialise(c_.seed, weights_);
    std::vector<std::unique_ptr<Replica>> replicas;
    for (std::size_t index = 0; index < c_.workers; ++index) {
      replicas.push_back(std::make_unique<Replica>(*this, index));
      weir::from_host(executor_, std::span<float const>(weights_), replicas.back()->weights.view());
    }
    auto const bind = [&](std::size_t index, auto const& groups) {
      return replicas[index]->pipe.bind_each(
          [&](std::size_t unit) {
            return weir::LocalAggregator{} | weir::AllReduce{groups[unit].replicas[index]} |
                   weir::AllReduce{groups[unit].ranks[index]} | optimizer;
          },
          replicas[index]->weights.view());
    };
    std::vector<Group> const groups = make_groups();
    using Bound = decltype(bind(0, groups));
    std::vector<std::unique_ptr<Bound>> syncs;
    for (std::size_t index = 0; index < c_.workers; ++index)
      syncs.push_back(std::unique_ptr<Bound>(new Bound(bind(index, groups))));
    for (std::size_t epoch = 0; epoch < c_.epochs; ++epoch) train_epoch(epoch, replicas, syncs);
    if (writes_timeline()) write_timeline(replicas.front()->pipe.timeline());
    return summary();
  }

  /// Who sums the gradients of a stage: first the pipelines of a rank, then for each of them the ranks.
  struct Group {
    std::vector<weir::ThreadCommunicator> replicas;
    std::vector<Communicator> ranks;
  };

  std::vector<Group> make_groups() const {
    std::vector<Group> groups;
    for (weir::StageLayout const& stage : stages_.layouts()) {
      if (stage.parameters.empty()) continue;
      Group group{weir::ThreadCommunicator::group(c_.workers), {}};
      for (std::size_t index = 0; index < c_.workers; ++index)
        group.ranks.push_back(communicator_.split(0, communicator_.rank()));
      groups.push_back(std::move(group));
    }
    return groups;
  }

  template <class Replicas, class Syncs>
  void train_epoch(std::size_t epoch, Replicas const& replicas, Syncs const& syncs) {
    auto const begin = Clock::now();
    weir::permutation<std::uint32_t>(c_.seed, static_cast<std::uint32_t>(epoch), order_);
    for (std::size_t index = 0; index < replicas.size(); ++index)
      replicas[index]->samples = shares_.of(index, order_);
    for (std::size_t run = 0; run < shares_.runs(); ++run) {
      for (std::size_t index = 0; index < replicas.size(); ++index) {
        Replica& replica = *replicas[index];
        (*syncs[index])(replica.pipe(shares_.run(replica.samples, run), stages_));
      }
    }
    weir::LossSum loss;
    for (std::size_t index = 0; index < replicas.size(); ++index) {
      syncs[index]->drain();
      weir::LossSum const part = replicas[index]->pipe.take_loss();
      loss.sum += part.sum;
      loss.samples += part.samples;
    }
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
    auto const write = [](std::string const& path, std::string const& content) {
      weir::FileReplacement file(path);
      file.write(content);
      file.commit();
    };
    if (!c_.trace.empty()) write(c_.trace, weir::schedule_trace(timeline));
    if (!c_.timeline.empty())
      write(c_.timeline, weir::schedule_svg(timeline, {.title = "The last run of " + title(c_)}));
  }

  Outcome summary() {
    outcome_.name = title(c_);
    outcome_.test_accuracy = Evaluator(network_, data_.test).accuracy(weights_);
    outcome_.samples_per_second = static_cast<double>(c_.epochs * data_.train.size()) / outcome_.seconds;
    if (communicator_.size() > 1) outcome_.bytes_sent_per_step = network_.elements() * sizeof(float);
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
  CountingMemory& memory_;

  Network<float> network_;
  PipelineShares shares_;
  weir::ScheduleTable table_;
  PipelineStages stages_;
  Executor executor_;
  std::vector<float> weights_;  // on the host: before the training, and after each epoch
  std::vector<std::uint32_t> order_ = std::vector<std::uint32_t>(data_.train.size());
  RankSums<Executor, Communicator> sums_{executor_, communicator_};
  Outcome outcome_;
};

}  // namespace weir_train
