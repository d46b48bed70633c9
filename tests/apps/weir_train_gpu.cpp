// weir-train on a GPU, as it is called: a program of its own, which is skipped where there is none.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "program.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json report_of(std::string const& arguments) {
  CAPTURE(arguments);
  ProgramResult const result = run_program("weir-train", "--report json " + arguments);
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  return Json::parse(result.out).at("configurations");
}

/// The only configuration of a run that must end well.
Json outcome_of(std::string const& arguments) {
  Json const report = report_of(arguments);
  REQUIRE(report.size() == 1);
  return report[0];
}

/// The last line of an error, which is the program's.
void check_train_refused(std::string const& arguments, int status, std::string const& text) {
  CAPTURE(arguments);
  ProgramResult const result = run_program("weir-train", arguments);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CAPTURE(result.error);
  CHECK(result.error.starts_with("weir-train: "));
  CHECK(result.error.find(text) != std::string::npos);
}

/// A run on the host, and the same on the GPU: eager and captured, twice.
void check_same_training(std::string const& options) {
  CAPTURE(options);
  Json const host = outcome_of(options);
  Json const eager = outcome_of("--device cuda " + options);
  Json const captured = outcome_of("--device cuda --capture on " + options);
  for (Json const* gpu : {&eager, &captured}) {
    CHECK((*gpu)["steps"] == host["steps"]);
    CHECK((*gpu)["parameters"] == host["parameters"]);
    CHECK(std::abs((*gpu)["test_accuracy"].get<double>() - host["test_accuracy"].get<double>()) <= 0.01);
  }
  CHECK(captured["weights_hash"] == eager["weights_hash"]);
  CHECK(captured["train_loss"] == eager["train_loss"]);
  CHECK(outcome_of("--device cuda " + options)["weights_hash"] == eager["weights_hash"]);
  CHECK(outcome_of("--device cuda --capture on " + options)["weights_hash"] == eager["weights_hash"]);
}

}  // namespace

TEST_CASE(
    "weir-train on a GPU has the accuracy of the host, and the same bits each time, eager and captured") {
  for (std::size_t const workers : {1u, 2u, 4u}) {
    check_same_training("--epochs 20 --learning-rate 0.05 --batch " + std::to_string(32 / workers) +
                        " --workers " + std::to_string(workers));
  }
  check_same_training("--epochs 20 --learning-rate 0.05 --workers 2 --micro-batches 2 --batch 8");
  check_same_training("--epochs 20 --optimizer adamw --workers 2 --batch 16 --weight-sync overlap");
}

TEST_CASE("weir-train on a GPU: the first epoch has the loss of the host") {
  for (std::string const options :
       {"--workers 1 --batch 32", "--workers 4 --batch 8", "--workers 2 --micro-batches 2 --batch 8",
        "--optimizer adamw --workers 3 --batch 9", "--hidden 33,17,5 --workers 2 --batch 11"}) {
    CAPTURE(options);
    double const host = outcome_of("--epochs 1 " + options)["train_loss"];
    double const gpu = outcome_of("--epochs 1 --device cuda --capture on " + options)["train_loss"];
    CHECK(std::abs(gpu - host) < 1e-3 * host);
  }
}

TEST_CASE(
    "weir-train on a GPU: after an epoch every split into workers and micro-batches has the same loss") {
  double const one =
      outcome_of("--device cuda --epochs 1 --batch 8 --workers 1 --micro-batches 4")["train_loss"];
  for (std::string const split : {"--workers 2 --micro-batches 2", "--workers 4 --micro-batches 1"}) {
    double const other = outcome_of("--device cuda --epochs 1 --batch 8 " + split)["train_loss"];
    CHECK(std::abs(other - one) < 1e-3 * one);
  }
}

TEST_CASE("weir-train on a GPU: the ways of weight synchronisation and the buckets do not change a bit") {
  std::string const options = "--device cuda --epochs 3 --workers 4 --batch 5 --capture on --bucket-bytes ";
  Json const shared = outcome_of(options + "1000")["weights_hash"];
  CHECK(outcome_of(options + "1000 --weight-sync sequential")["weights_hash"] == shared);
  CHECK(outcome_of(options + "1000 --weight-sync overlap")["weights_hash"] == shared);
  CHECK(outcome_of(options + "1 --weight-sync overlap")["weights_hash"] == shared);
}

TEST_CASE("weir-train on a GPU: a checkpoint goes on where the run was, on either device") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  std::string const options = "--workers 2 --batch 16 --optimizer adamw ";
  Json const whole = outcome_of("--device cuda --epochs 4 " + options);
  outcome_of("--device cuda --epochs 2 --capture on " + options + "--save " + file);
  CHECK(outcome_of("--device cuda --epochs 4 " + options + "--load " + file)["weights_hash"] ==
        whole["weights_hash"]);
  double const loss = outcome_of("--epochs 4 " + options + "--load " + file)["train_loss"];
  CHECK(std::abs(loss - whole["train_loss"].get<double>()) < 1e-2 * loss);
}

TEST_CASE("weir-train on a GPU: masked layers give the accuracy of the host, the same bits each time") {
  for (std::string const mask : {"bibd", "bibd --mask-density 0.3", "random", "random-biregular"}) {
    std::string const options = "--workers 2 --batch 16 --mask " + mask;
    check_same_training("--epochs 20 --learning-rate 0.05 " + options);
    double const host = outcome_of("--epochs 1 --hidden 42,36 " + options)["train_loss"];
    Json const gpu = outcome_of("--epochs 1 --hidden 42,36 --device cuda " + options);
    CHECK(std::abs(gpu["train_loss"].get<double>() - host) < 1e-3 * host);
    CHECK(gpu["nonzero_parameters"] < gpu["parameters"]);
  }
}

TEST_CASE("weir-train on a GPU: ranks on threads share one GPU through host memory") {
  double const loss = outcome_of("--device cuda --epochs 1 --batch 64")["train_loss"];
  std::string const options = "--device cuda --epochs 1 --ranks 2 --comm threads --workers 2 --batch 16";
  Json const ranks = outcome_of(options);
  CHECK(std::abs(ranks["train_loss"].get<double>() - loss) < 1e-4 * loss);
  CHECK(outcome_of(options)["weights_hash"] == ranks["weights_hash"]);
}

#if WEIR_PROGRAMS_HAVE_NCCL
TEST_CASE("weir-train on a GPU: as many ranks over NCCL as there are GPUs, eager and captured") {
  int gpus = 0;
  REQUIRE(cudaGetDeviceCount(&gpus) == cudaSuccess);
  std::string const options = "--epochs 2 --workers 2 --batch 16 --ranks " + std::to_string(gpus);
  double const host = outcome_of(options)["train_loss"];
  Json const eager = outcome_of("--device cuda --comm nccl " + options);
  CHECK(std::abs(eager["train_loss"].get<double>() - host) < 1e-3 * host);
  CHECK(outcome_of("--device cuda --comm nccl --capture on " + options)["weights_hash"] ==
        eager["weights_hash"]);
  if (gpus == 1)
    CHECK(outcome_of("--device cuda --comm self " + options)["weights_hash"] == eager["weights_hash"]);
}
#endif

TEST_CASE(
    "weir-train on a GPU: sparsified gradients give the accuracy of the host, the same bits each time") {
  std::string const options = "--epochs 20 --learning-rate 0.05 --workers 2 --batch 16 --density 0.05";
  check_same_training(options);
  check_same_training(options + " --estimator generalized-pareto");
  check_same_training(options + " --feedback off");
  std::string const ranks = "--device cuda --epochs 2 --ranks 2 --comm threads --density 0.05";
  Json const first = outcome_of(ranks);
  CHECK(first["bytes_sent_per_step"] < 0.11 * 4 * first["parameters"].get<double>());
  CHECK(outcome_of(ranks)["weights_hash"] == first["weights_hash"]);
}

TEST_CASE(
    "weir-train on a GPU: pipelines with a flush have the weights of the run without, eager and captured") {
  std::string const options = "--device cuda --epochs 2 --batch 6 --micro-batches 8 ";
  Json const plain = outcome_of(options);
  for (std::string const name :
       {"sequential", "gpipe", "1f1b", "interleaved-1f1b", "looped-bfs", "zb-h1", "zb-h2", "zb-v"}) {
    for (std::string const workers : {"1", "2", "3"}) {
      std::string const piped = options + "--pipeline " + name + " --pipeline-workers " + workers;
      CAPTURE(piped);
      for (std::string const capture : {"off", "on"}) {
        Json const outcome = outcome_of(piped + " --capture " + capture);
        CHECK(outcome["weights_hash"] == plain["weights_hash"]);
        CHECK(outcome["train_loss"].get<double>() == doctest::Approx(plain["train_loss"].get<double>()));
        CHECK(outcome["steps"] == plain["steps"]);
      }
    }
  }
  Json const two = outcome_of("--device cuda --epochs 2 --batch 6 --workers 2 --micro-batches 4");
  for (std::string const name : {"chimera --pipeline-workers 4", "dualpipe --pipeline-workers 2"})
    CHECK(outcome_of(options + "--pipeline " + name)["weights_hash"] == two["weights_hash"]);
  for (std::string const more : {"--optimizer adamw", "--mask bibd", "--hidden 33,17,5"}) {
    CAPTURE(more);
    CHECK(outcome_of(options + more + " --pipeline 1f1b --pipeline-workers 2")["weights_hash"] ==
          outcome_of(options + more)["weights_hash"]);
  }
}

TEST_CASE(
    "weir-train on a GPU: pipelines without a flush have the loss of the host, the same bits each time") {
  for (std::string const schedule :
       {"pipedream --micro-batches 1", "pipedream-2bw --pipeline-workers 3 --micro-batches 2",
        "wpipe --micro-batches 2", "wpipe --period 2 --micro-batches 6"}) {
    std::string const options = "--epochs 1 --batch 16 --learning-rate 0.02 --pipeline " + schedule;
    CAPTURE(options);
    double const host = outcome_of(options)["train_loss"];
    Json const gpu = outcome_of("--device cuda " + options);
    CHECK(std::abs(gpu["train_loss"].get<double>() - host) < 1e-3 * host);
    CHECK(outcome_of("--device cuda " + options)["weights_hash"] == gpu["weights_hash"]);
  }
}

TEST_CASE("weir-train on a GPU: ranks with a pipeline each share one through host memory") {
  std::string const ranks = "--device cuda --epochs 2 --batch 3 --micro-batches 8 --ranks 2 --comm threads";
  Json const plain = outcome_of(ranks);
  for (std::string const name : {"gpipe", "1f1b", "interleaved-1f1b", "zb-v"}) {
    std::string const piped = ranks + " --pipeline " + name + " --pipeline-workers 2";
    CAPTURE(piped);
    Json const outcome = outcome_of(piped);
    CHECK(outcome["weights_hash"] == plain["weights_hash"]);
    CHECK(outcome["bytes_sent_per_step"] == plain["bytes_sent_per_step"]);
  }
  std::string const late =
      "--epochs 1 --batch 8 --micro-batches 2 --learning-rate 0.02 --pipeline wpipe "
      "--ranks 2 --comm threads";
  double const host = outcome_of(late)["train_loss"];
  CHECK(std::abs(outcome_of("--device cuda " + late)["train_loss"].get<double>() - host) < 1e-3 * host);
  std::string const sparse = ranks + " --pipeline 1f1b --density 0.05";
  Json const first = outcome_of(sparse);
  CHECK(first["bytes_sent_per_step"] < 0.11 * 4 * first["parameters"].get<double>());
  CHECK(outcome_of(sparse)["weights_hash"] == first["weights_hash"]);
}

#if WEIR_PROGRAMS_HAVE_NCCL
TEST_CASE("weir-train on a GPU: as many ranks with a pipeline each as there are GPUs, over NCCL") {
  int gpus = 0;
  REQUIRE(cudaGetDeviceCount(&gpus) == cudaSuccess);
  std::string const ranks =
      "--device cuda --comm nccl --epochs 2 --batch 3 --micro-batches 8 --ranks " + std::to_string(gpus);
  // Of more than two, NCCL adds in an order that follows from the size of a message.
  bool const is_one_order = gpus <= 2;
  Json const plain = outcome_of(ranks);
  for (std::string const name : {"1f1b", "zb-v", "interleaved-1f1b --pipeline-workers 3"}) {
    std::string const piped = ranks + " --pipeline " + name;
    CAPTURE(piped);
    Json const eager = outcome_of(piped);
    CHECK(std::abs(eager["train_loss"].get<double>() - plain["train_loss"].get<double>()) <
          1e-3 * plain["train_loss"].get<double>());
    if (is_one_order) CHECK(eager["weights_hash"] == plain["weights_hash"]);
    CHECK(outcome_of(piped + " --capture on")["weights_hash"] == eager["weights_hash"]);
  }
  std::string const sparse = ranks + " --pipeline 1f1b --density 0.05";
  CHECK(outcome_of(sparse + " --capture on")["weights_hash"] == outcome_of(sparse)["weights_hash"]);
  std::string const late = ranks + " --pipeline wpipe --learning-rate 0.02";
  CHECK(outcome_of(late)["weights_hash"] == outcome_of(late)["weights_hash"]);
}
#endif

TEST_CASE("weir-train on a GPU: a pipeline goes on from a checkpoint with the bits of one run") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  for (std::string const schedule : {"wpipe", "1f1b"}) {
    std::string const options = "--device cuda --batch 16 --micro-batches 2 --pipeline " + schedule;
    Json const whole = outcome_of(options + " --epochs 4");
    outcome_of(options + " --epochs 2 --save " + file);
    CHECK(outcome_of(options + " --epochs 4 --load " + file)["weights_hash"] == whole["weights_hash"]);
  }
}

TEST_CASE("weir-train on a GPU: with nothing but --device cuda it is a tour, eager and captured") {
  Json const rows = report_of("--device cuda");
  REQUIRE(rows.size() == 8);
  for (std::size_t i = 0; i < rows.size(); i += 2) {
    CHECK(rows[i]["test_accuracy"] > 0.9);
    CHECK(rows[i]["weights_hash"] == rows[i + 1]["weights_hash"]);
  }
}

TEST_CASE("weir-train on a GPU: what goes wrong is said in one line") {
  check_train_refused("--device cuda --learning-rate 1e30", 1, "epoch 1");
  check_train_refused("--device cuda --learning-rate 1e30 --workers 4 --capture on", 1, "epoch 1");
  check_train_refused("--device cuda --learning-rate 1e30 --pipeline 1f1b --micro-batches 4", 1, "epoch 1");
}
