#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "program.hpp"
#include "weir_train/replica_sums.hpp"
#include "weir_train_runs.hpp"

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

TEST_CASE("weir-train: every pipeline with a flush and one direction gives the weights of one worker") {
  // The last step of an epoch has micro-batches without samples, and one of another size.
  std::string const options = "--epochs 2 --batch 6 --micro-batches 8 ";
  std::string const plain = hash_of(options);
  for (std::string const name :
       {"sequential", "gpipe", "1f1b", "interleaved-1f1b", "looped-bfs", "zb-h1", "zb-h2", "zb-v"}) {
    for (std::string const workers : {"1", "2", "3", "4"}) {
      CAPTURE(name);
      CAPTURE(workers);
      CHECK(hash_of(options + "--pipeline " + name + " --pipeline-workers " + workers) == plain);
    }
  }
  CHECK(hash_of(options + "--pipeline dualpipe-v --pipeline-workers 4") == plain);
  CHECK(hash_of(options + "--pipeline interleaved-1f1b --pipeline-workers 2 --chunks 3") == plain);
  CHECK(hash_of(options + "--pipeline zb-v --pipeline-workers 2 --threads 1") == plain);
  CHECK(hash_of("--epochs 2 --batch 6 --micro-batches 2 --pipeline 1f1b --pipeline-workers 3") ==
        hash_of("--epochs 2 --batch 6 --micro-batches 2"));
}

TEST_CASE("weir-train: a pipeline that trains both ways adds two sums, as two workers do") {
  std::string const two = hash_of("--epochs 2 --batch 8 --workers 2 --micro-batches 2");
  CHECK(hash_of("--epochs 2 --batch 8 --micro-batches 4 --pipeline dualpipe --pipeline-workers 2") == two);
  CHECK(hash_of("--epochs 2 --batch 8 --micro-batches 4 --pipeline chimera --pipeline-workers 4") == two);
}

TEST_CASE("weir-train: every model is cut, and every optimizer runs, with layers of any width") {
  for (std::string const options :
       {"--model cnn", "--model gru --hidden 9,5", "--hidden 13,7,5 --optimizer adamw",
        "--hidden 3,2,5 --batch 1", "--bucket-bytes 100 --optimizer adamw"}) {
    CAPTURE(options);
    std::string const all = "--epochs 1 --batch 7 --micro-batches 5 ";
    std::string const here =
        options.find("--batch") == std::string::npos ? all + options : "--epochs 1 " + options;
    std::string const plain = hash_of(here);
    CHECK(hash_of(here + " --pipeline 1f1b --pipeline-workers 2") == plain);
    CHECK(hash_of(here + " --pipeline interleaved-1f1b --pipeline-workers 3") == plain);
  }
}

TEST_CASE("weir-train: replicas of a pipeline and ranks give the weights of as many workers and ranks") {
  for (std::string const options :
       {"--workers 3", "--ranks 2", "--workers 2 --ranks 2", "--workers 2 --ranks 3 --model cnn"}) {
    CAPTURE(options);
    std::string const all = "--epochs 2 --batch 5 --micro-batches 3 " + options;
    Json const plain = outcome_of(all);
    for (std::string const name : {"1f1b", "zb-h1", "looped-bfs"}) {
      Json const piped = outcome_of(all + " --pipeline " + name + " --pipeline-workers 2");
      CHECK(piped["weights_hash"] == plain["weights_hash"]);
      CHECK(piped["train_loss"].get<double>() == doctest::Approx(plain["train_loss"].get<double>()));
      CHECK(piped["bytes_sent_per_step"] == plain["bytes_sent_per_step"]);
      CHECK(piped["steps"] == plain["steps"]);
    }
  }
}

TEST_CASE("weir-train: processes of MPI can be pipelines too" * doctest::skip(WEIR_PROGRAMS_HAVE_MPI == 0)) {
  std::string const options = "--epochs 1 --workers 2 --micro-batches 2 --batch 6";
  Json const mpi = outcome_of(run_program_mpi(2, "weir-train", "--report json --pipeline 1f1b " + options));
  CHECK(mpi["weights_hash"] == outcome_of(options + " --ranks 2")["weights_hash"]);
  for (std::string const name : {"chimera", "dualpipe"}) {
    std::string const both_ways = "--epochs 1 --batch 6 --micro-batches 4 --pipeline " + name;
    Json const processes =
        outcome_of(run_program_mpi(2, "weir-train", "--report json --comm mpi " + both_ways));
    CHECK(processes["weights_hash"] == hash_of(both_ways + " --ranks 2"));
  }
}

TEST_CASE("weir-train: pipelines without a flush train as well, and the same each time") {
  double plain = 0, late = 0;
  for (std::string const seed : {"0", "1", "2", "3"}) {
    std::string const options = "--micro-batches 2 --batch 16 --learning-rate 0.05 --seed " + seed;
    plain += outcome_of(options)["test_accuracy"].get<double>() / 4;
    late += outcome_of(options + " --pipeline wpipe --pipeline-workers 2")["test_accuracy"].get<double>() / 4;
  }
  CHECK(late > plain - 0.02);
  CHECK(late > 0.9);
  for (std::string const options :
       {"pipedream --pipeline-workers 2", "pipedream-2bw --pipeline-workers 3 --micro-batches 2",
        "wpipe --pipeline-workers 2 --period 2 --micro-batches 6", "wpipe --pipeline-workers 3 --period 2",
        "wpipe --workers 2 --ranks 2 --micro-batches 2"}) {
    std::string const run = "--epochs 10 --batch 8 --learning-rate 0.02 --hidden 32,32,32 --pipeline ";
    Json const outcome = outcome_of(run + options);
    CHECK(outcome["test_accuracy"] > 0.8);
    CHECK(outcome["weights_hash"] == hash_of(run + options));
  }
  // A pipeline of one worker is late by nothing.
  CHECK(hash_of("--epochs 2 --pipeline pipedream --pipeline-workers 1") == hash_of("--epochs 2"));
  CHECK(hash_of("--epochs 2 --pipeline pipedream --pipeline-workers 2") != hash_of("--epochs 2"));
}

TEST_CASE("weir-train: wpipe over two workers reaches the accuracy of the plain run, also on two ranks") {
  for (std::string const ranks : {"", " --ranks 2"}) {
    CAPTURE(ranks);
    double plain = 0, late = 0;
    for (std::string const seed : {"0", "1", "2", "3"}) {
      std::string const options = "--epochs 20 --seed " + seed + ranks;
      plain += outcome_of(options)["test_accuracy"].get<double>() / 4;
      late +=
          outcome_of(options + " --pipeline wpipe --pipeline-workers 2")["test_accuracy"].get<double>() / 4;
    }
    CHECK(late > plain - 0.02);
    CHECK(late > 0.88);
  }
}

TEST_CASE("weir-train: every schedule of weir-schedule is one of weir-train") {
  std::istringstream names(run_program("weir-schedule", "--list").out);
  int count = 0;
  for (std::string name; std::getline(names, name); ++count) {
    std::string const micro_batches = name == "pipedream" ? "1" : "4";
    Json const outcome = outcome_of("--epochs 1 --batch 8 --learning-rate 0.01 --pipeline " + name +
                                    " --micro-batches " + micro_batches);
    CHECK(outcome["name"].get<std::string>().find(name + " over 2 workers") != std::string::npos);
  }
  CHECK(count == 14);
}

TEST_CASE("weir-train: a pipeline that cannot be is refused with the rule and the nearest that can") {
  std::string const pipe = "--pipeline ";
  check_train_refused(pipe + "1f2b", 2, {"--pipeline 1f2b", "1f1b", "wpipe would be right"});
  check_train_refused(pipe + "1f1b --pipeline-workers 0", 2, {"--pipeline-workers 0", "from 1"});
  check_train_refused(pipe + "1f1b --chunks 2", 2, {"--chunks 2", "1 would be right"});
  check_train_refused(pipe + "zb-v --chunks 1 --micro-batches 4", 2, {"--chunks 1", "2 would be right"});
  check_train_refused(pipe + "1f1b --period 2", 2, {"--period 2", "flush"});
  check_train_refused(pipe + "dualpipe --pipeline-workers 3 --micro-batches 8", 2,
                      {"--pipeline-workers 3", "even", "4 would be right"});
  check_train_refused(pipe + "chimera --micro-batches 3", 2,
                      {"--micro-batches 3", "even", "4 would be right"});
  check_train_refused(pipe + "dualpipe-v --pipeline-workers 3 --micro-batches 5", 2,
                      {"--micro-batches 5", "6 would be right"});
  check_train_refused(pipe + "pipedream --micro-batches 2", 2, {"--micro-batches 2", "1 would be right"});
  check_train_refused(pipe + "wpipe --pipeline-workers 4 --micro-batches 2", 2,
                      {"--micro-batches 2", "per update", "3 would be right"});
  check_train_refused(pipe + "pipedream-2bw --pipeline-workers 6 --period 2", 2,
                      {"--period 2", "5 would be right"});
  check_train_refused(pipe + "wpipe --period 4 --micro-batches 10", 2,
                      {"--micro-batches 10", "multiple", "12 would be right"});
  for (std::string const option : {"--pipeline-workers 2", "--chunks 2", "--period 2"})
    check_train_refused(option, 2, {option.substr(0, option.find(' ')), "--pipeline NAME"});
  check_train_refused(pipe + "1f1b --adaptive --workers 2", 2, {"--adaptive", "--pipeline"});
  check_train_refused(pipe + "1f1b --weight-sync overlap", 2, {"--weight-sync overlap"});
}

TEST_CASE("weir-train: what a pipeline on a GPU does not have is refused with what would be right" *
          doctest::skip(WEIR_PROGRAMS_HAVE_CUDA == 0)) {
  std::string const pipe = "--device cuda --pipeline 1f1b ";
  check_train_refused(pipe + "--workers 2", 2,
                      {"--workers 2", "each rank has one pipeline", "--ranks 2", "--device host"});
  check_train_refused(pipe + "--workers 3 --ranks 2 --comm threads", 2,
                      {"--workers 3", "--workers 1, with --ranks 6"});
  check_train_refused(pipe + "--ranks 2 --comm threads --capture on", 2,
                      {"--capture on", "--comm threads", "host memory", "--comm nccl"});
  check_train_refused(pipe + "--ranks 2 --comm self", 2, {"--comm self", "--ranks is 2"});
  check_train_refused(pipe + "--density 0.1 --estimator gamma-pareto", 2,
                      {"--estimator gamma-pareto", "--device cuda"});
  check_train_refused(pipe + "--model cnn", 2, {"--model cnn", "--device cuda", "mlp"});
  check_train_refused(pipe + "--weight-sync overlap", 2, {"--weight-sync overlap"});
  check_train_refused(pipe + "--trace t.json", 2, {"--trace", "--device cuda"});
  check_train_refused("--device cuda --pipeline wpipe --micro-batches 2 --capture on", 2,
                      {"--capture on", "wpipe", "no flush", "--capture off", "1f1b"});
  check_train_refused("--device cuda --pipeline wpipe --pipeline-workers 4 --micro-batches 2", 2,
                      {"--micro-batches 2", "3 would be right"});
  check_train_refused("--pipeline 1f1b --capture on", 2, {"--capture", "--device cuda"});
}

TEST_CASE("weir-train: without a GPU a pipeline with --device cuda ends with one line that says so" *
          doctest::skip(WEIR_PROGRAMS_HAVE_CUDA == 0)) {
  for (std::string const options : {"--capture on", "--ranks 2 --comm threads", "--density 0.1"}) {
    CAPTURE(options);
    std::string const program = "CUDA_VISIBLE_DEVICES= " WEIR_PROGRAM_DIR "/weir-train ";
    check_train_refused(run_command(program + "--device cuda --pipeline 1f1b " + options), 1,
                        {"--device cuda", "no GPU", "--device host"});
  }
}

TEST_CASE("weir-train: a pipeline goes on from a checkpoint with the bits of one run, also sparsified") {
  TemporaryFolder const folder;
  std::string const file = folder / "c.weir";
  for (std::string const options :
       {"--pipeline 1f1b --micro-batches 2", "--pipeline wpipe --micro-batches 2 --ranks 2 --workers 2",
        "--pipeline zb-v --micro-batches 2 --optimizer adamw",
        "--pipeline wpipe --micro-batches 2 --ranks 2 --workers 2 --density 0.05"}) {
    std::string const all = "--batch 8 --learning-rate 0.01 " + options;
    outcome_of(all + " --epochs 2 --seed 5 --save " + file);
    CHECK(hash_of(all + " --epochs 4 --load " + file) == hash_of(all + " --epochs 4 --seed 5"));
  }
  check_train_refused("--epochs 4 --load " + file, 1, {"c.weir", "gradients", "sparsified by 2 ranks"});
  outcome_of("--epochs 1 --pipeline 1f1b --save " + file);
  check_train_refused("--epochs 4 --load " + file, 1, {"c.weir", "a pipeline", "not cut"});
  check_train_refused("--epochs 4 --pipeline 1f1b --pipeline-workers 3 --load " + file, 1,
                      {"c.weir", "number of parts", "2 in the archive, 3 here"});
  outcome_of("--epochs 1 --save " + file);
  check_train_refused("--epochs 4 --pipeline 1f1b --load " + file, 1, {"c.weir", "not cut"});
}

TEST_CASE(
    "weir-train: pipelines send the largest gradients only, and train as one worker does that sends them") {
  std::size_t const whole = 4 * (64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10);
  double plain = 0, piped = 0;
  for (std::string const seed : {"0", "1", "2"}) {
    std::string const options =
        "--ranks 2 --batch 8 --micro-batches 2 --epochs 30 --learning-rate 0.05 --density 0.01 --seed " +
        seed;
    Json const one = outcome_of(options);
    Json const cut = outcome_of(options + " --pipeline 1f1b");
    CHECK(cut["bytes_sent_per_step"].get<double>() <= 0.04 * static_cast<double>(whole));
    CHECK(cut["bytes_sent_per_step"].get<double>() > 0);
    plain += one["test_accuracy"].get<double>() / 3;
    piped += cut["test_accuracy"].get<double>() / 3;
  }
  CHECK(piped > plain - 0.02);
  // The schedule does not matter, where it has a flush.
  std::string const two = "--ranks 2 --workers 2 --micro-batches 2 --batch 8 --epochs 2 --density 0.05 ";
  CHECK(hash_of(two + "--pipeline 1f1b") == hash_of(two + "--pipeline gpipe"));
  CHECK(
      outcome_of(two + "--pipeline 1f1b")["name"].get<std::string>().ends_with("density 0.05 by histogram"));
}

TEST_CASE("weir-train: the trace of a pipeline has every operation of its last run") {
  TemporaryFolder const folder;
  outcome_of("--epochs 1 --batch 8 --micro-batches 4 --pipeline 1f1b --pipeline-workers 3 --trace " +
             (folder / "t.json") + " --timeline " + (folder / "t.svg"));
  CHECK(content(folder / "t.svg").starts_with("<svg"));
  int operations = 0;
  Json const trace = Json::parse(content(folder / "t.json"));
  for (Json const& event : trace.at("traceEvents")) operations += event.value("cat", "") == "compute" ? 1 : 0;
  CHECK(operations == 3 * 4 * 2);
}

TEST_CASE(
    "weir-train: a pipeline with replicas says in one line under the table what of their sums is hidden") {
  auto const lines_of = [](std::string const& options) {
    ProgramResult const run = run_program("weir-train", "--epochs 2 --micro-batches 2 --batch 8 " + options);
    CHECK(run.status == 0);
    CHECK(run.error.empty());
    std::size_t const line = run.out.find("Sums over replicas ");
    return line == std::string::npos ? std::string() : run.out.substr(line);
  };
  // Behind the first stage's last backward of a flush there is nothing that could hide the sum.
  for (std::string const replicas : {"--ranks 2", "--workers 2"}) {
    std::string const line = lines_of("--pipeline 1f1b " + replicas);
    CHECK(line.starts_with("Sums over replicas are not hidden in \"mlp 64-64, sgd, "));
    CHECK(line.find("1f1b over 2 workers\": stage ") != std::string::npos);
    CHECK(line.ends_with(" ms too long.\n"));
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  }
  std::string const late = lines_of("--pipeline wpipe --ranks 2");
  CHECK(late.find("wpipe over 2 workers\": stage ") != std::string::npos);
  CHECK(std::count(late.begin(), late.end(), '\n') == 1);
  CHECK(lines_of("--pipeline wpipe").empty());
  CHECK(lines_of("--ranks 2").empty());
}

TEST_CASE(
    "weir-train: the line about sums over replicas is a warning where they take longer than is hidden") {
  weir::HiddenReduce sum{.stage = 2, .measured = 0.003, .slack = 0.002};
  CHECK(weir_train::text_of(sum, "run") ==
        "Sums over replicas are not hidden in \"run\": stage 2: an update takes 3.000 ms, of which 2.000 ms "
        "are "
        "hidden: 1.000 ms too long.\n");
  sum.slack = 0.004;
  CHECK(weir_train::text_of(sum, "run") ==
        "Sums over replicas are hidden in \"run\": stage 2: an update takes 3.000 ms, all of it hidden, as "
        "4.000 "
        "ms would be.\n");
}

TEST_CASE("weir-train: weights that leave all bounds end a pipeline on all ranks with one line") {
  ProgramResult const result = run_program(
      "weir-train", "--learning-rate 1e30 --pipeline 1f1b --micro-batches 2 --batch 8 --ranks 2 --workers 2");
  CHECK(result.status == 1);
  CHECK(result.error.find("epoch 1") != std::string::npos);
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
}
