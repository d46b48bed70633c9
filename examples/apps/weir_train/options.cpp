#include "options.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "built_with.hpp"
#include "data_options.hpp"
#include "file_options.hpp"
#include "masking_options.hpp"
#include "numbers.hpp"
#include "pipeline_options.hpp"
#include "weir_sparsify/estimator_options.hpp"

namespace weir_train {
namespace {

constexpr char const* training = "Training";

void declare(Arguments& a) {
  a.add("--report", "text|json", "form of the report [text]", "Common");
  a.add("--seed", "N", "of initial weights and order of samples [0]", "Common");
  a.add("--threads", "N", "host threads in all, which workers share [all cores]", "Common");

  a.add("--data", "digits|text|idx:...|cifar10:DIR",
        "text is the bundled one, text:FILE another; idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS] reads "
        "MNIST's format, cifar10: a folder of binary batches [digits]",
        training);
  a.add("--model", "mlp|cnn|gru|transformer", "[mlp; with a text transformer]", training);
  a.add("--hidden", "N,N",
        "widths of the hidden layers of mlp and gru, or of the blocks of a transformer, which are the same "
        "[64,64; gru 64; transformer 32,32]",
        training);
  a.add("--mask", "none|bibd|random|random-biregular",
        "which weights are live: those of block designs, or as many at random; in all layers but the last, "
        "of a "
        "gru in the matrices of the gates, of a transformer in those of attention and feed-forward [none]",
        training);
  a.add("--mask-density", "D", "share of live weights [as for the design of the shape]", training);
  a.add("--batch", "N", "samples per worker and micro-batch [32]", training);
  a.add("--epochs", "N", "[20]", training);
  a.add("--optimizer", "sgd|adamw", "[sgd]", training);
  a.add("--learning-rate", "X", "[0.1, with adamw 0.001]", training);
  a.add("--momentum", "X", "of sgd [0.9]", training);
  a.add("--workers", "K", "virtual stream workers per rank [1]", training);
  a.add("--micro-batches", "M", "per worker and step [1]", training);
  a.add("--weight-sync", "shared|sequential|overlap", "[shared]", training);
  a.add("--bucket-bytes", "N",
        "size at which a gradient bucket is closed [1 MiB the first, 25 MiB the others]", training);
  a.add("--density", "D", "share of the gradient that is sent, the largest elements of it [1]", training);
  a.add("--estimator", "NAME",
        "how they are found: " + listed(weir_sparsify::all_estimators(), "or") + " [histogram]", training);
  a.add("--stages", "N|adaptive",
        "thresholds to be fitted one above the other, where the estimator has stages [adaptive]", training);
  a.add("--feedback", "on|off", "what is not sent is added to the next gradient [on]", training);
  a.add("--ranks", "R", "[1; under MPI the number of processes]", training);
  a.add("--comm", "self|threads|mpi|nccl",
        "what connects the ranks [threads; under mpirun mpi; on GPUs nccl, where it is there]", training);
  a.add("--device", "host|cuda",
        "cuda trains an mlp, each rank on a GPU of its own, a pipeline's workers on its streams [host]",
        training);
  a.add(
      "--capture", "on|off",
      "with cuda: record a step, or the run of a pipeline with a flush, in a CUDA graph and replay it [off]",
      training);
  a.add_flag("--adaptive",
             "the batch and with it the learning rate follow the noise of the gradients, from the batch that "
             "the options say; a rank on its own has 2 workers unless --workers says more",
             training);
  a.add("--save", "FILE", "write a checkpoint at the end", training);
  a.add("--load", "FILE", "go on from a checkpoint", training);
  a.add("--trace", "FILE.json", "write a trace for Perfetto or chrome://tracing", training);
  a.add("--timeline", "FILE.svg", "draw the last steps", training);

  declare_pipeline(a, training);
}

/// One of several words.
template <class Value>
Value parse_word(std::string const& option, std::string const& value,
                 std::initializer_list<std::pair<char const*, Value>> words) {
  std::vector<std::string> names;
  for (auto const& [word, meaning] : words) {
    if (value == word) return meaning;
    names.emplace_back(word);
  }
  refuse_value(option, value, listed(names, "or"));
}

void parse_model(Arguments const& a, Configuration& c) {
  if (a.given("--data")) parse_data(a["--data"], c);
  if (c.text) c.model = ModelKind::transformer;
  if (a.given("--model")) {
    c.model = parse_word<ModelKind>("--model", a["--model"],
                                    {{"mlp", ModelKind::mlp},
                                     {"cnn", ModelKind::cnn},
                                     {"gru", ModelKind::gru},
                                     {"transformer", ModelKind::transformer}});
  }
  if (c.text && c.model != ModelKind::transformer) {
    throw UsageError("--model " + a["--model"] + ": it reads images; with --data " + a["--data"] +
                     " transformer would be right");
  }
  if (c.model == ModelKind::gru) c.hidden = {64};
  if (c.model == ModelKind::transformer) c.hidden = {32, 32};
  if (a.given("--hidden")) {
    if (c.model == ModelKind::cnn)
      throw UsageError(
          "--hidden: --model cnn has no hidden layers to choose; leaving it out, or mlp or gru, would be "
          "right");
    c.hidden.clear();
    for (std::string const& width : split(a["--hidden"], ',')) {
      c.hidden.push_back(parse_integer<std::size_t>("--hidden", width, 1, 1 << 20));
    }
    bool const is_even = std::all_of(c.hidden.begin(), c.hidden.end(),
                                     [&](std::size_t width) { return width == c.hidden.front(); });
    if (c.model == ModelKind::transformer && !is_even) {
      refuse_value("--hidden", a["--hidden"],
                   "of a transformer, whose blocks have one width, " + std::to_string(c.hidden.front()) +
                       "," + std::to_string(c.hidden.front()));
    }
  }
}

void parse_optimizer(Arguments const& a, Configuration& c) {
  if (a.given("--optimizer")) {
    c.optimizer = parse_word<OptimizerKind>("--optimizer", a["--optimizer"],
                                            {{"sgd", OptimizerKind::sgd}, {"adamw", OptimizerKind::adamw}});
  }
  if (c.optimizer == OptimizerKind::adamw) c.learning_rate = 0.001;
  if (a.given("--learning-rate")) {
    c.learning_rate = parse_real(
        "--learning-rate", a["--learning-rate"], [](double rate) { return rate > 0; }, "a number above 0");
  }
  if (a.given("--momentum")) {
    if (c.optimizer != OptimizerKind::sgd)
      throw UsageError("--momentum: only --optimizer sgd has it; leaving it out would be right");
    c.momentum = parse_real(
        "--momentum", a["--momentum"], [](double m) { return m >= 0 && m < 1; },
        "a number from 0 to below 1");
  }
}

void parse_layout(Arguments const& a, Configuration& c) {
  auto const count = [&a](char const* name, std::size_t& value) {
    if (a.given(name)) value = parse_integer<std::size_t>(name, a[name], 1);
  };
  count("--batch", c.batch);
  count("--epochs", c.epochs);
  count("--workers", c.workers);
  count("--micro-batches", c.micro_batches);
  if (a.given("--bucket-bytes"))
    c.bucket_bytes = parse_integer<std::size_t>("--bucket-bytes", a["--bucket-bytes"], 1);
  if (a.given("--weight-sync")) {
    c.weight_sync = parse_word<weir::WeightPolicy>("--weight-sync", a["--weight-sync"],
                                                   {{"shared", weir::WeightPolicy::shared},
                                                    {"sequential", weir::WeightPolicy::sequential},
                                                    {"overlap", weir::WeightPolicy::overlap}});
  }
}

void parse_sparsification(Arguments const& a, Configuration& c) {
  if (!a.given("--density")) {
    for (char const* name : {"--estimator", "--stages", "--feedback"}) {
      if (a.given(name))
        throw UsageError(std::string(name) +
                         ": gradients are sent whole without --density; --density 0.01, or " +
                         "leaving it out, would be right");
    }
    return;
  }
  Sparsification sparsification;
  sparsification.density = parse_real(
      "--density", a["--density"], [](double density) { return density > 0 && density <= 1; },
      "a number above 0, at most 1");
  if (a.given("--estimator")) sparsification.estimator = weir_sparsify::parse_estimator(a["--estimator"]);
  weir::StageConstants stages{.count = weir::StageCount::adaptive};
  if (a.given("--stages")) stages = weir_sparsify::parse_stages(a["--stages"], sparsification.estimator);
  if (has_stages(sparsification.estimator)) sparsification.stages = stages;
  if (a.given("--feedback"))
    sparsification.has_feedback =
        parse_word<bool>("--feedback", a["--feedback"], {{"on", true}, {"off", false}});
  if (sparsification.density < 1) c.sparsification = sparsification;
}

void parse_device(Arguments const& a, Configuration& c) {
  if (a.given("--device")) {
    c.device = parse_word<DeviceKind>("--device", a["--device"],
                                      {{"host", DeviceKind::host}, {"cuda", DeviceKind::cuda}});
  }
  if (a.given("--capture"))
    c.capture = parse_word<bool>("--capture", a["--capture"], {{"on", true}, {"off", false}});
  if (c.device == DeviceKind::host) {
    if (a.given("--capture"))
      throw UsageError("--capture: only --device cuda has it; leaving it out would be right");
    return;
  }
  if (!built_with_cuda) {
    throw UsageError(
        "--device cuda: this program was built without CUDA; a build with nvcc and cuBLAS, or --device host, "
        "would be right");
  }
  if (c.model != ModelKind::mlp)
    throw UsageError("--model " + name_of(c.model) +
                     ": not available with --device cuda; mlp, or --device host, would be right");
  for (char const* name : {"--trace", "--timeline"}) {
    if (!a.given(name)) continue;
    throw UsageError(std::string(name) +
                     ": with --device cuda it would show when work is enqueued, not when it runs; leaving it "
                     "out, or --device host, would be right");
  }
}

CommKind default_comm(MpiSize mpi, Configuration const& c) {
  bool const is_alone = std::max(c.ranks, mpi.processes.value_or(1)) == 1;
  if (c.device == DeviceKind::cuda && is_alone) return CommKind::self;
  if (c.device == DeviceKind::cuda && built_with_nccl) return CommKind::nccl;
  return mpi.processes ? CommKind::mpi : c.ranks > 1 ? CommKind::threads : CommKind::self;
}

/// What connects GPUs, and what does not.
void check_comm_of_device(Configuration const& c) {
  if (c.comm == CommKind::nccl && c.device == DeviceKind::host)
    throw UsageError("--comm nccl: it connects GPUs; --device cuda, or another --comm, would be right");
  if (c.comm == CommKind::nccl && !built_with_nccl)
    throw UsageError("--comm nccl: this program was built without NCCL; threads or mpi would be right");
  if (c.capture && (c.comm == CommKind::threads || c.comm == CommKind::mpi)) {
    throw UsageError(std::string("--capture on: a step with --comm ") +
                     (c.comm == CommKind::mpi ? "mpi" : "threads") +
                     ", which goes through host memory, cannot be captured; --comm nccl, or --capture off, "
                     "would be right");
  }
}

void parse_ranks(Arguments const& a, MpiSize mpi, Configuration& c) {
  if (a.given("--ranks")) c.ranks = parse_integer<std::size_t>("--ranks", a["--ranks"], 1, 4096);
  c.comm = default_comm(mpi, c);
  if (a.given("--comm")) {
    c.comm = parse_word<CommKind>("--comm", a["--comm"],
                                  {{"self", CommKind::self},
                                   {"threads", CommKind::threads},
                                   {"mpi", CommKind::mpi},
                                   {"nccl", CommKind::nccl}});
  }
  check_comm_of_device(c);
  if (c.comm == CommKind::mpi && !mpi.processes)
    throw UsageError("--comm mpi: this program was built without MPI; self or threads would be right");
  if (mpi.processes && (c.comm == CommKind::mpi || c.comm == CommKind::nccl)) {
    if (a.given("--ranks") && c.ranks != *mpi.processes) {
      throw UsageError("--ranks " + a["--ranks"] + ": MPI has started " + std::to_string(*mpi.processes) +
                       (*mpi.processes == 1 ? " process" : " processes") +
                       "; leaving --ranks out, or mpirun -n " + a["--ranks"] + ", would be right");
    }
    c.ranks = *mpi.processes;
    c.is_process_each = true;
  } else if (mpi.processes.value_or(1) > 1) {
    throw UsageError("--comm " + a["--comm"] + ": MPI has started " + std::to_string(*mpi.processes) +
                     " processes; --comm mpi would be right");
  } else if (c.comm == CommKind::self && c.ranks > 1) {
    throw UsageError("--comm self: a single rank, but --ranks is " + std::to_string(c.ranks) +
                     "; --comm threads would be right");
  }
}

/// After the ranks are known.
void parse_adaptive(Arguments const& a, Configuration& c) {
  c.adaptive = a.given("--adaptive");
  if (!c.adaptive) return;
  if (c.device == DeviceKind::cuda)
    throw UsageError(
        "--adaptive: not available with --device cuda; leaving it out, or --device host, would be right");
  if (c.sparsification)
    throw UsageError("--adaptive: the noise is that of whole gradients, and --density " + a["--density"] +
                     " does not send them; leaving one of them out would be right");
  if (c.ranks > 1) return;
  if (!a.given("--workers")) c.workers = 2;
  if (c.workers == 1)
    throw UsageError(
        "--adaptive: the gradient of --workers 1 on one rank has nothing to be compared with; --workers 2 or "
        "--ranks 2 would be right");
}

void check_batch(Configuration const& c) {
  if (c.batch >= c.workers) return;
  throw UsageError("--batch " + std::to_string(c.batch) + ": smaller than --workers " +
                   std::to_string(c.workers) + "; a batch of at least " + std::to_string(c.workers) +
                   ", or fewer workers, would be right");
}

}  // namespace

Options parse_options(int argc, char const* const* argv, MpiSize mpi) {
  Arguments a(
      "Trains a model through composed parallelism primitives. Without options of the training: a short "
      "tour.");
  declare(a);
  Options options;
  options.help = a.parse(argc, argv);
  if (!options.help.empty()) return options;

  if (a.given("--report"))
    options.json = parse_word<bool>("--report", a["--report"], {{"text", false}, {"json", true}});
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  if (a.given("--threads"))
    options.threads = parse_integer<std::size_t>("--threads", a["--threads"], 1, 4096);
  Configuration& c = options.configuration;
  if (a.given("--seed")) {
    c.seed = parse_integer<std::uint64_t>("--seed", a["--seed"], 0);
    c.seed_is_given = true;
  }
  parse_model(a, c);
  parse_optimizer(a, c);
  parse_layout(a, c);
  parse_sparsification(a, c);
  parse_device(a, c);
  parse_masking(a, c);
  parse_ranks(a, mpi, c);
  parse_adaptive(a, c);
  check_batch(c);
  parse_files(a, c);
  parse_pipeline(a, c);

  int common = 0;
  for (char const* name : {"--report", "--seed", "--threads", "--device"}) common += a.given(name) ? 1 : 0;
  options.tour = a.options_given() == common && c.comm == CommKind::self;
  return options;
}

}  // namespace weir_train
