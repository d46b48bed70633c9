#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "program.hpp"
#include "weir_train/adaptive_batch.hpp"
#include "weir_train_runs.hpp"

namespace {

using Json = nlohmann::ordered_json;
using weir_train::AdaptiveBatch;
using weir_train::Configuration;

/// What is measured of two workers with batches of 10 where noise over signal is `noise`.
weir::NoiseMeasurement measurement(double noise) {
  return {.workers = 2,
          .global_batch = 20,
          .mean_square = 1 + noise / 10,
          .mean_inverse_batch = 0.1,
          .square_of_mean = 1 + noise / 20};
}

/// Steps until the batch changes; nothing if it does not.
std::optional<std::size_t> steps_until_change(AdaptiveBatch& batch, double noise) {
  for (std::size_t step = 1; step <= 100; ++step)
    if (batch.add(measurement(noise))) return step;
  return {};
}

bool is_layout(weir::WorkLayout const& layout, std::size_t workers, std::size_t micro_batches) {
  return layout.workers == workers && layout.micro_batches == micro_batches;
}

struct Run {
  Json outcome;
  std::vector<std::string> changes;  // a line each
};

Run run(ProgramResult const& result) {
  INFO(result.error);
  REQUIRE(result.status == 0);
  Run run{Json::parse(result.out)["configurations"][0], {}};
  std::istringstream lines(result.error);
  for (std::string line; std::getline(lines, line);) run.changes.push_back(line);
  for (std::string const& line : run.changes) CHECK(line.find(", adaptive: epoch ") != std::string::npos);
  return run;
}
Run run(std::string const& arguments) {
  CAPTURE(arguments);
  return run(run_program("weir-train", "--report json --adaptive " + arguments));
}

/// The batch that a line says the training goes on with.
std::size_t batch_after(std::string const& line) {
  std::string const before = "from now on ";
  return std::stoul(line.substr(line.find(before) + before.size()));
}

}  // namespace

TEST_CASE("weir-train --adaptive: the batch grows and shrinks by whole passes, within its limits") {
  AdaptiveBatch batch(Configuration{.batch = 10, .workers = 2, .ranks = 2, .learning_rate = 0.1}, 3300);
  CHECK(batch.global_batch() == 40);
  CHECK(steps_until_change(batch, 1e4) == AdaptiveBatch::steps_between_changes);
  CHECK(batch.global_batch() == 80);
  CHECK(is_layout(batch.layout(), 2, 2));
  CHECK(batch.learning_rate() == doctest::Approx(0.1 * std::sqrt(2.0)));
  while (steps_until_change(batch, 1e4)) CHECK(is_layout(batch.layout(), 2, batch.global_batch() / 40));
  CHECK(batch.global_batch() == 400);  // an eighth of the samples is 412
  while (steps_until_change(batch, 1e-3)) CHECK(batch.global_batch() >= 20);
  CHECK(batch.global_batch() == 20);  // two workers, or there is nothing to compare
  CHECK(is_layout(batch.layout(), 1, 1));
  CHECK(batch.learning_rate() == doctest::Approx(0.1 * std::sqrt(0.5)));
  CHECK(steps_until_change(batch, 1e4));
  CHECK(batch.global_batch() == 40);
  CHECK(batch.learning_rate() == 0.1);  // bit for bit
}

TEST_CASE("weir-train --adaptive: a large batch changes by a tenth") {
  AdaptiveBatch batch(Configuration{.batch = 1, .workers = 4, .micro_batches = 50}, 1 << 20);
  CHECK(steps_until_change(batch, 1e9));
  CHECK(batch.global_batch() == 220);
  CHECK(is_layout(batch.layout(), 4, 55));
}

TEST_CASE(
    "weir-train --adaptive: without a measurement, near the noise scale, and to and fro the batch stays") {
  AdaptiveBatch batch(Configuration{.batch = 32, .workers = 2}, 100000);
  for (int step = 0; step < 100; ++step) CHECK_FALSE(batch.add({}));
  CHECK_FALSE(steps_until_change(batch, 70));
  CHECK_FALSE(steps_until_change(batch, 90));  // it would grow to 128, and from there shrink
  CHECK(batch.global_batch() == 64);
  CHECK(steps_until_change(batch, 150));
  CHECK(batch.global_batch() == 128);
}

TEST_CASE("weir-train --adaptive: a checkpoint holds the batch for any number of ranks and workers") {
  AdaptiveBatch batch(Configuration{.batch = 10, .workers = 2, .ranks = 2}, 3300);
  while (batch.global_batch() < 240) REQUIRE(steps_until_change(batch, 1e6));
  batch.add(measurement(1e6));
  weir::Archive archive;
  batch.save(archive);

  AdaptiveBatch same(Configuration{.batch = 10, .workers = 2, .ranks = 2}, 3300);
  same.load(archive);
  CHECK(same.global_batch() == 240);
  CHECK(is_layout(same.layout(), 2, 6));
  CHECK(same.learning_rate() == batch.learning_rate());
  CHECK(same.noise() == batch.noise());
  CHECK(steps_until_change(same, 1e6) == AdaptiveBatch::steps_between_changes - 1);

  AdaptiveBatch other(Configuration{.batch = 10, .workers = 4, .ranks = 3}, 3300);
  other.load(archive);
  CHECK(other.global_batch() == 240);
  CHECK(is_layout(other.layout(), 4, 2));
  CHECK(other.learning_rate() == batch.learning_rate());

  AdaptiveBatch near(Configuration{.batch = 10, .workers = 5}, 3300);
  near.load(archive);
  CHECK(near.global_batch() == 200);
  AdaptiveBatch fresh(Configuration{.batch = 10, .workers = 2}, 3300);
  fresh.load(weir::Archive{});
  CHECK(fresh.global_batch() == 20);
}

TEST_CASE("weir-train --adaptive: the batch follows the noise, on ranks and workers, and the model learns") {
  for (std::string const options : {"--batch 8", "--ranks 2 --workers 2 --batch 8", "--ranks 2 --batch 8",
                                    "--optimizer adamw --workers 4 --micro-batches 2 --batch 4"}) {
    Run const found = run(options);
    CAPTURE(options);
    CHECK(found.outcome["test_accuracy"] > 0.88);
    CHECK(found.outcome["name"].get<std::string>().ends_with(", adaptive"));
    REQUIRE(!found.changes.empty());
    std::size_t const last = batch_after(found.changes.back());
    CHECK(last > 32);
    CHECK(last <= 1437 / AdaptiveBatch::steps_per_epoch);
    CHECK(found.outcome["steps"] < 20 * 1437 / 32);
  }
  Run const shrinking = run("--workers 4 --micro-batches 8 --batch 16 --epochs 10");
  REQUIRE(!shrinking.changes.empty());
  CHECK(batch_after(shrinking.changes.front()) < 512);
}

TEST_CASE("weir-train --adaptive: a run is a function of its options, and goes on as if it had not stopped") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  std::string const options = "--ranks 2 --workers 2 --batch 8 --seed 3 --epochs ";
  Run const whole = run(options + "9");
  CHECK(run(options + "9 --threads 1 --weight-sync overlap").outcome["weights_hash"] ==
        whole.outcome["weights_hash"]);
  Run const first = run(options + "4 --save " + file);
  Run const rest = run(options + "9 --load " + file);
  CHECK(rest.outcome["weights_hash"] == whole.outcome["weights_hash"]);
  CHECK(rest.outcome["train_loss"] == whole.outcome["train_loss"]);
  CHECK(rest.outcome["steps"].get<int>() + first.outcome["steps"].get<int>() ==
        whole.outcome["steps"].get<int>());
  std::vector<std::string> changes = first.changes;
  changes.insert(changes.end(), rest.changes.begin(), rest.changes.end());
  CHECK(changes == whole.changes);

  // On other ranks the batch is the same one, and so the loss nearly is.
  Run const moved = run("--ranks 1 --workers 4 --batch 8 --epochs 5 --load " + file);
  Run const stayed = run(options + "5 --load " + file);
  CHECK(moved.outcome["steps"] == stayed.outcome["steps"]);
  CHECK(moved.outcome["train_loss"].get<double>() ==
        doctest::Approx(stayed.outcome["train_loss"].get<double>()).epsilon(1e-3));
  // With and without adapting each can go on from the other.
  ProgramResult const fixed = run_program("weir-train", options + "5 --load " + file);
  CHECK(fixed.status == 0);
  CHECK(fixed.error.empty());
#if WEIR_PROGRAMS_HAVE_MPI
  Run const processes = run(run_program_mpi(
      2, "weir-train", "--report json --adaptive --comm mpi --workers 2 --batch 8 --seed 3 --epochs 9"));
  CHECK(processes.outcome["weights_hash"] == whole.outcome["weights_hash"]);
  CHECK(processes.changes == whole.changes);
  CHECK(processes.outcome["bytes_sent_per_step"] == whole.outcome["bytes_sent_per_step"]);
#endif
}

TEST_CASE("weir-train: --help names --adaptive") {
  CHECK(run_program("weir-train", "--help").out.find("--adaptive") != std::string::npos);
}

TEST_CASE("weir-train --adaptive: what it cannot be combined with is answered by one line and status 2") {
  check_train_refused("--adaptive --workers 1", 2, {"--adaptive", "--workers 1", "--workers 2 or --ranks 2"});
  check_train_refused("--adaptive --ranks 2 --density 0.1", 2, {"--adaptive", "--density 0.1"});
  check_train_refused("--adaptive --batch 1", 2, {"--batch 1", "--workers 2"});
  check_train_refused("--adaptive --batch 719", 2, {"--batch 719", "718"});
#if WEIR_PROGRAMS_HAVE_CUDA
  check_train_refused("--adaptive --device cuda", 2, {"--adaptive", "--device cuda", "--device host"});
#endif
}
