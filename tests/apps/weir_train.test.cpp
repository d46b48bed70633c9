#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"
#include "terminal.hpp"
#include "weir/state/archive.hpp"
#include "weir_train_runs.hpp"

namespace {

using Json = nlohmann::ordered_json;

ProgramResult train(std::string const& arguments) {
  return run_program("weir-train", arguments);
}

/// In one line of one of two processes of MPI.
void check_refused_once(std::string const& arguments, int status, std::string const& text) {
  CAPTURE(arguments);
  ProgramResult const result = run_program_mpi(2, "weir-train", arguments);
  CHECK(result.status == status);
  CAPTURE(result.error);
  std::size_t const first = result.error.find("weir-train: ");
  REQUIRE(first != std::string::npos);
  CHECK(result.error.find("weir-train: ", first + 1) == std::string::npos);  // mpirun has more to say
  CHECK(result.error.find(text) != std::string::npos);
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// `count` images of 4 x 5 pixels whose brightest row is the label, and their labels.
std::pair<std::string, std::string> idx_files(std::uint32_t count) {
  std::string images = big_endian(0x803) + big_endian(count) + big_endian(4) + big_endian(5);
  std::string labels = big_endian(0x801) + big_endian(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t const label = i * 7 % 4;
    for (std::uint32_t pixel = 0; pixel < 20; ++pixel)
      images += static_cast<char>(pixel / 5 == label ? 200 + i % 50 : (i + pixel) % 60);
    labels += static_cast<char>(label);
  }
  return {images, labels};
}

}  // namespace

TEST_CASE("weir-train: a bad argument is answered by one line and status 2") {
  check_train_refused("--workers 0", 2, {"--workers 0", "at least 1"});
  check_train_refused("--micro-batches 0", 2, {"--micro-batches 0", "at least 1"});
  check_train_refused("--batch 0", 2, {"--batch 0", "at least 1"});
  check_train_refused("--batch -3", 2, {"--batch -3", "at least 1"});
  check_train_refused("--batch 1e3", 2, {"--batch 1e3", "whole number"});
  check_train_refused("--batch 99999999999999999999", 2, {"--batch 99999999999999999999", "whole number"});
  check_train_refused("--batch 2 --workers 4", 2, {"--batch 2", "--workers 4"});
  check_train_refused("--batch 18446744073709551615 --micro-batches 2", 2,
                      {"--batch 18446744073709551615", "2 micro-batches", "at most 4611686018427387903"});
  check_train_refused("--batch 9223372036854775808", 2, {"at most 9223372036854775807"});
  check_train_refused("--batch 2 --workers 2 --micro-batches 9223372036854775807 --ranks 2", 2,
                      {"--batch 2", "2 workers", "fewer of those"});
  check_train_refused("--batch 1 --micro-batches 1048577", 2, {"--micro-batches 1048577", "at most 1048576"});
  check_train_refused("--batch 2000 --workers 1438", 2, {"--workers 1438", "1437 training samples"});
  check_train_refused("--adaptive --batch 719 --workers 2", 2, {"--batch 719", "1437", "--adaptive", "718"});
  check_train_refused("--epochs 0", 2, {"--epochs 0", "at least 1"});
  check_train_refused("--learning-rate 0", 2, {"--learning-rate 0", "above 0"});
  check_train_refused("--learning-rate nan", 2, {"--learning-rate nan", "above 0"});
  check_train_refused("--learning-rate inf", 2, {"--learning-rate inf", "above 0"});
  check_train_refused("--learning-rate fast", 2, {"--learning-rate fast", "above 0"});
  check_train_refused("--momentum 1", 2, {"--momentum 1", "below 1"});
  check_train_refused("--momentum -0.5", 2, {"--momentum -0.5", "from 0"});
  check_train_refused("--hidden 64,,3", 2, {"--hidden", "whole number"});
  check_train_refused("--hidden 64,0", 2, {"--hidden 0", "from 1"});
  check_train_refused("--hidden 64 --model cnn", 2, {"--hidden", "mlp"});
  check_train_refused("--model resnet", 2, {"--model resnet", "mlp, cnn, gru or transformer"});
  check_train_refused("--optimizer lion", 2, {"--optimizer lion", "sgd or adamw"});
  check_train_refused("--weight-sync none", 2, {"--weight-sync none", "shared, sequential or overlap"});
  check_train_refused("--bucket-bytes 0", 2, {"--bucket-bytes 0", "at least 1"});
  check_train_refused("--ranks 0", 2, {"--ranks 0", "from 1"});
  check_train_refused("--ranks 2 --comm self", 2, {"--comm self", "--comm threads"});
  check_train_refused("--comm pigeons", 2, {"--comm pigeons", "threads"});
  check_train_refused("--data letters", 2, {"--data letters", "idx:IMAGES,LABELS"});
  check_train_refused("--data idx:one", 2, {"--data idx:one", "idx:IMAGES,LABELS"});
  check_train_refused("--data cifar10:", 2, {"--data cifar10:", "cifar10:DIR"});
  check_train_refused("--report xml", 2, {"--report xml", "text or json"});
  check_train_refused("--seed -1", 2, {"--seed -1", "from 0"});
  check_train_refused("--threads 0", 2, {"--threads 0", "from 1"});
  check_train_refused("--batch 8 --batch 9", 2, {"--batch", "once"});
  check_train_refused("--batch", 2, {"--batch", "missing"});
  check_train_refused("--batch --workers 2", 2, {"--batch", "missing"});
  check_train_refused("--save ''", 2, {"--save"});
  check_train_refused("--save a --trace a", 2, {"--trace a", "--save", "another file"});
  check_train_refused("--trace a --timeline a", 2, {"--timeline a", "--trace", "another file"});
  check_train_refused("--fast", 2, {"--fast", "no such option"});
  check_train_refused("digits", 2, {"digits", "no such option"});
  check_train_refused("''", 2, {"\"\": there is no such option"});
}

TEST_CASE("weir-train: a batch of more samples than there are is one step of all of them in an epoch") {
  Json const whole = outcome_of("--batch 1437 --epochs 3");
  CHECK(whole["steps"] == 3);
  for (std::string const options :
       {"--batch 1438", "--batch 1000000000000", "--batch 200 --workers 2 --micro-batches 2 --ranks 2",
        "--batch 1437 --workers 2 --density 0.999", "--batch 900 --pipeline 1f1b --micro-batches 4",
        "--batch 300 --pipeline 1f1b --workers 2 --micro-batches 4 --ranks 2"}) {
    CAPTURE(options);
    Json const run = outcome_of(options + " --epochs 3");
    CHECK(run["steps"] == 3);
    double const loss = whole["train_loss"];
    CHECK(std::abs(run["train_loss"].get<double>() - loss) < 0.02 * loss);
  }
  Json const without_flush =
      outcome_of("--batch 200 --pipeline pipedream-2bw --workers 5 --period 2 --epochs 3");
  CHECK(without_flush["steps"] == 3);
  CHECK(hash_of("--batch 1438 --epochs 2") == hash_of("--batch 1437 --epochs 2"));
}

TEST_CASE("weir-train: options that name what holds without them change nothing") {
  CHECK(hash_of("--epochs 1 --density 1 --mask none --device host") == hash_of("--epochs 1"));
}

TEST_CASE(
    "weir-train: what has no meaning without a GPU, or none on one, is answered by one line and status 2") {
  check_train_refused("--device gpu", 2, {"--device gpu", "host or cuda"});
  check_train_refused("--capture on", 2, {"--capture", "--device cuda"});
  check_train_refused("--device host --capture off", 2, {"--capture", "--device cuda"});
  check_train_refused("--comm nccl", 2, {"--comm nccl", "--device cuda"});
  check_train_refused("--comm nccl --ranks 2", 2, {"--comm nccl", "--device cuda"});
#if WEIR_PROGRAMS_HAVE_CUDA
  check_train_refused("--device cuda --capture yes", 2, {"--capture yes", "on or off"});
  check_train_refused("--device cuda --model cnn", 2, {"--model cnn", "--device cuda", "mlp"});
  check_train_refused("--device cuda --trace t.json", 2, {"--trace", "--device cuda"});
  check_train_refused("--device cuda --timeline t.svg", 2, {"--timeline", "--device cuda"});
  check_train_refused("--device cuda --ranks 2 --comm self", 2, {"--comm self", "--ranks is 2"});
  check_train_refused("--device cuda --ranks 2 --comm threads --capture on", 2,
                      {"--capture on", "--comm threads"});
  check_train_refused("--device cuda --batch 9223372036854775808", 2, {"at most 9223372036854775807"});
#else
  check_train_refused("--device cuda", 2, {"--device cuda", "built without CUDA", "--device host"});
  check_train_refused("--device cuda --workers 2 --report json", 2, {"built without CUDA"});
#endif
}

#if WEIR_PROGRAMS_HAVE_CUDA
TEST_CASE("weir-train: without a GPU --device cuda ends with one line that says so, and status 1") {
  // So that there is none: no device is visible.
  for (std::string const options :
       {"", "--epochs 1 --workers 2", "--ranks 2", "--report json --capture on", "--density 0.1"}) {
    ProgramResult const result =
        run_command("CUDA_VISIBLE_DEVICES= " WEIR_PROGRAM_DIR "/weir-train --device cuda " + options);
    CAPTURE(options);
    check_train_refused(result, 1, {"--device cuda", "no GPU", "--device host"});
  }
}
#endif

TEST_CASE("weir-train: --help names every option and ends well") {
  ProgramResult const result = train("--help");
  CHECK(result.status == 0);
  CHECK(result.error.empty());
  for (char const* option :
       {"--adaptive",    "--mask",          "--mask-density", "--pipeline", "--pipeline-workers",
        "--chunks",      "--period",        "--report",       "--seed",     "--threads",
        "--data",        "--model",         "--hidden",       "--batch",    "--epochs",
        "--optimizer",   "--learning-rate", "--momentum",     "--workers",  "--micro-batches",
        "--weight-sync", "--bucket-bytes",  "--ranks",        "--comm",     "--device",
        "--capture",     "--save",          "--load",         "--trace",    "--timeline"}) {
    CAPTURE(option);
    CHECK(result.out.find(option) != std::string::npos);
  }
}

TEST_CASE("weir-train: the JSON report has the keys of the specification, in a list") {
  Json const outcome = outcome_of("--epochs 2 --ranks 2 --workers 2 --micro-batches 2 --batch 8");
  std::vector<std::string> keys;
  for (auto const& [key, value] : outcome.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"name", "test_accuracy", "train_loss", "samples_per_second",
                                         "bytes_sent_per_step", "parameters", "nonzero_parameters", "steps",
                                         "seconds", "peak_bytes", "weights_hash"});
  std::size_t const parameters = 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10;
  CHECK(outcome["parameters"] == parameters);
  CHECK(outcome["nonzero_parameters"] == parameters);
  CHECK(outcome["bytes_sent_per_step"] == 4 * parameters);
  CHECK(outcome["steps"] == 2 * 23);  // 1437 samples, 64 per step
  // Weights, velocity and two workers' gradients.
  CHECK(outcome["peak_bytes"] >= 4 * 4 * parameters);
  CHECK(outcome["peak_bytes"] < 5 * 4 * parameters);
}

TEST_CASE("weir-train: on a terminal, and only there, standard error has a line for each epoch") {
  std::string const arguments = "--epochs 3 --hidden 4 --report json";
  ProgramResult const watched = run_program_on_terminal("weir-train", arguments);
  CHECK(watched.status == 0);
  CHECK(Json::parse(watched.out).size() == 1);
  std::string rest = watched.error;
  for (std::string const epoch : {"1", "2", "3"}) {
    std::string const line = "mlp 4, sgd, 1 worker: epoch " + epoch + " of 3, train loss ";
    CAPTURE(rest);
    REQUIRE(rest.starts_with(line));
    rest.erase(0, line.size());
    std::size_t const end = rest.find("\r\n");
    REQUIRE(end != std::string::npos);
    CHECK(rest.substr(0, end).find_first_not_of("0123456789.") == std::string::npos);
    rest.erase(0, end + 2);
  }
  CHECK(rest.empty());

  ProgramResult const unwatched = train(arguments);
  CHECK(unwatched.status == 0);
  CHECK(unwatched.error.empty());
  // Of several ranks the first one says it.
  ProgramResult const ranks = run_program_on_terminal("weir-train", arguments + " --ranks 2");
  CHECK(std::count(ranks.error.begin(), ranks.error.end(), '\n') == 3);
}

TEST_CASE("weir-train: without options it prints a table with units, a row per configuration") {
  ProgramResult const table = train("");
  CHECK(table.status == 0);
  CHECK(table.error.empty());
  CHECK(table.out.find("test accuracy [%]") != std::string::npos);
  Json const report = Json::parse(train("--report json").out);
  CHECK(report.size() == 1);
  std::string const aligned = table.out.substr(
      0, std::min(table.out.find("Sparsifying does not pay"), table.out.find("Sums over replicas")));
  auto const rows = static_cast<std::size_t>(std::count(aligned.begin(), aligned.end(), '\n'));
  CHECK(rows == report["configurations"].size() + 1);
  for (Json const& row : report["configurations"]) {
    CHECK(table.out.find(row["name"].get<std::string>()) != std::string::npos);
    CHECK(row["test_accuracy"] > 0.9);
  }
  // Aligned: all lines are of the same length.
  CHECK(aligned.size() % rows == 0);
}

TEST_CASE("weir-train: both models learn the digits") {
  CHECK(outcome_of("--epochs 20")["test_accuracy"] > 0.9);
  CHECK(outcome_of("--optimizer adamw")["test_accuracy"] > 0.88);
  CHECK(outcome_of("--model cnn --epochs 8")["test_accuracy"] > 0.92);
}

TEST_CASE("weir-train: a run is a function of its options, the seed among them") {
  std::string const options = "--epochs 3 --workers 3 --micro-batches 2 --ranks 2 --batch 7 --seed ";
  CHECK(hash_of(options + "5") == hash_of(options + "5"));
  CHECK(hash_of(options + "5") != hash_of(options + "6"));
  CHECK(hash_of(options + "5 --threads 1") == hash_of(options + "5 --threads 7"));
}

TEST_CASE("weir-train: the three ways of weight synchronisation give the same weights") {
  for (std::string const options : {"--epochs 3 --workers 3 --micro-batches 2 --batch 7",
                                    "--epochs 3 --workers 4 --optimizer adamw --batch 5 --bucket-bytes 1000",
                                    "--epochs 1 --workers 2 --model cnn",
                                    "--epochs 2 --workers 2 --ranks 2 --batch 9 --bucket-bytes 1"}) {
    std::string const shared = hash_of(options + " --weight-sync shared");
    CHECK(shared == hash_of(options + " --weight-sync sequential"));
    CHECK(shared == hash_of(options + " --weight-sync overlap"));
  }
}

TEST_CASE("weir-train: workers, micro-batches and ranks share a batch without changing the loss") {
  double const loss = outcome_of("--epochs 1 --batch 64")["train_loss"];
  for (std::string const split :
       {"--workers 4 --batch 16", "--workers 2 --micro-batches 2 --batch 16", "--micro-batches 4 --batch 16",
        "--ranks 4 --batch 16", "--ranks 2 --workers 2 --batch 16", "--ranks 2 --micro-batches 2 --batch 16",
        "--ranks 2 --workers 4 --micro-batches 2 --batch 4", "--workers 8 --batch 8 --threads 1"}) {
    CAPTURE(split);
    double const same = outcome_of("--epochs 1 " + split)["train_loss"];
    CHECK(std::abs(same - loss) < 1e-3 * loss);
    CHECK(std::abs(same - loss) < 1e-5 * loss);
  }
}

TEST_CASE("weir-train: processes of MPI give the weights that ranks on threads give, and print once" *
          doctest::skip(WEIR_PROGRAMS_HAVE_MPI == 0)) {
  for (int const ranks : {2, 3}) {
    std::string const options =
        "--report json --epochs 2 --workers 2 --micro-batches 2 --batch 6 --bucket-bytes 2000";
    Json const threads = outcome_of(train(options + " --ranks " + std::to_string(ranks)));
    Json const mpi = outcome_of(run_program_mpi(ranks, "weir-train", options + " --comm mpi"));
    CHECK(threads["weights_hash"] == mpi["weights_hash"]);
    CHECK(threads["train_loss"] == mpi["train_loss"]);
    CHECK(threads["bytes_sent_per_step"] == mpi["bytes_sent_per_step"]);
    CHECK(threads["steps"] == mpi["steps"]);
  }
}

TEST_CASE("weir-train: a number of ranks that MPI does not have, and other errors, are said once" *
          doctest::skip(WEIR_PROGRAMS_HAVE_MPI == 0)) {
  check_train_refused("--comm mpi --ranks 2", 2, {"--ranks 2", "1 process"});
  check_refused_once("--comm mpi --ranks 3", 2, "--ranks 3: MPI has started 2 processes");
  check_refused_once("--comm threads", 2, "--comm threads");
  check_refused_once("--workers 0", 2, "--workers 0");
  check_refused_once("--data idx:none,none", 1, "none: cannot be read");
  check_refused_once("--learning-rate 1e30", 1, "epoch 1");
}

TEST_CASE("weir-train: an error that only one process of MPI has is said once, with its status" *
          doctest::skip(WEIR_PROGRAMS_HAVE_MPI == 0)) {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  std::string const options = "--hidden 4 --batch 16 --density 0.1 --save " + file;
  for (std::string const& run : {options, options + " --pipeline 1f1b --pipeline-workers 2"}) {
    CAPTURE(run);
    std::filesystem::create_symlink("/dev/full", file + ".rank1");
    check_refused_once("--epochs 1 " + run, 1, "weir-train: rank 1: " + file + ".rank1: cannot be written");
    std::filesystem::remove(file + ".rank1");

    outcome_of("--ranks 2 --epochs 2 " + run);
    std::filesystem::rename(file + ".rank1", folder / "later");
    outcome_of("--ranks 2 --epochs 1 " + run);
    std::filesystem::rename(folder / "later", file + ".rank1");
    check_refused_once("--epochs 2 --load " + file + " " + run, 2, "weir-train: rank 1: --epochs 2: ");
    std::filesystem::remove(file + ".rank1");
  }
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/dev/full", file);
  check_refused_once("--epochs 1 " + options, 1, "weir-train: " + file + ": cannot be written");
}

TEST_CASE("weir-train: a checkpoint goes on where the run was, so that the weights are those of one run") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  for (std::string const options :
       {"--workers 2 --micro-batches 2 --batch 8 --seed 3",
        "--optimizer adamw --weight-sync overlap --workers 3", "--model cnn --ranks 2 --batch 16"}) {
    CAPTURE(options);
    Json const whole = outcome_of(options + " --epochs 5");
    outcome_of(options + " --epochs 2 --save " + file);
    Json const rest = outcome_of(options + " --epochs 5 --load " + file);
    CHECK(rest["weights_hash"] == whole["weights_hash"]);
    CHECK(rest["train_loss"] == whole["train_loss"]);
    CHECK(rest["steps"].get<int>() * 5 == whole["steps"].get<int>() * 3);
    CHECK(folder.files() == 1);
  }
  SUBCASE("with the seed of the checkpoint, and another layout of the work") {
    outcome_of("--seed 8 --epochs 2 --save " + file);
    CHECK(hash_of("--epochs 4 --load " + file) == hash_of("--seed 8 --epochs 4"));
    double const loss = outcome_of("--seed 8 --epochs 4")["train_loss"];
    double const same = outcome_of("--epochs 4 --workers 2 --ranks 2 --batch 8 --load " + file)["train_loss"];
    CHECK(std::abs(same - loss) < 1e-3 * loss);
  }
}

TEST_CASE("weir-train: a checkpoint that is missing, damaged or of another run is refused by one line") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  outcome_of("--hidden 4 --epochs 2 --save " + file);
  std::string const load = "--hidden 4 --epochs 3 --load " + file;
  std::string const bytes = content(file);
  check_train_refused("--epochs 3 --load " + (folder / "none"), 1, {folder / "none", "would be right"});
  check_train_refused("--hidden 4 --epochs 2 --load " + file, 2, {"--epochs 2", file});
  check_train_refused("--hidden 5 --epochs 3 --load " + file, 1, {file, "mlp 4", "mlp 5"});
  check_train_refused("--hidden 4 --optimizer adamw --epochs 3 --load " + file, 1, {file, "sgd", "adamw"});
  check_train_refused("--hidden 4 --seed 1 --epochs 3 --load " + file, 1, {file, "seed 0"});
  check_train_refused("--hidden 4 --bucket-bytes 4 --epochs 3 --load " + file, 1, {file, "bucket plan"});
  weir::Archive foreign;
  foreign.put("weights", 0, std::vector<float>(3));
  foreign.write(folder / "foreign.weir");
  for (std::string const options : {"", "--seed 3 ", "--adaptive --workers 2 ", "--pipeline 1f1b "}) {
    check_train_refused(options + "--epochs 3 --load " + (folder / "foreign.weir"), 1,
                        {"weir-train: " + (folder / "foreign.weir") + ": ", "\"weir-train.model\"",
                         "weir-train --save has written would be right"});
  }
  for (std::size_t at = 0; at < bytes.size(); at += bytes.size() / 20) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write(file, damaged);
    CAPTURE(at);
    check_train_refused(load, 1, {file});
  }
  write(file, bytes.substr(0, bytes.size() - 1));
  check_train_refused(load, 1, {file});
  write(file, bytes);
  outcome_of(load);
}

TEST_CASE("weir-train: what cannot be written is refused before the training and leaves nothing behind") {
  TemporaryFolder const folder;
  for (std::string const option : {"--save ", "--trace ", "--timeline "}) {
    check_train_refused("--epochs 100000 " + option + (folder / "none/file"), 1,
                        {folder / "none/file", "would be right"});
  }
  std::string const files =
      " --save " + (folder / "a") + " --trace " + (folder / "b") + " --timeline " + (folder / "c");
  check_train_refused("--learning-rate 1e30" + files, 1, {"epoch 1", "learning rate"});
  check_train_refused("--workers 0" + files, 2, {"--workers"});
  check_train_refused("--data idx:none,none" + files, 1, {"none"});
  CHECK(folder.files() == 0);
  check_train_refused("--epochs 1 --trace /dev/full", 1, {"/dev/full", "would be right"});
}

TEST_CASE("weir-train: the trace shows a collective that begins before the last backward pass ends") {
  TemporaryFolder const folder;
  outcome_of("--epochs 2 --hidden 1024,1024 --workers 2 --batch 128 --bucket-bytes 20000 --trace " +
             (folder / "t.json") + " --timeline " + (folder / "t.svg"));
  CHECK(content(folder / "t.svg").starts_with("<svg"));
  Json const trace = Json::parse(content(folder / "t.json"));
  struct Step {
    double reduce = 1e300;  // begin of the first bucket's
    double model = 0;       // end of the last
  };
  std::map<std::pair<int, int>, Step> steps;
  for (Json const& event : trace.at("traceEvents")) {
    if (event["ph"] != "X") continue;
    Step& step = steps[{event["pid"].get<int>(), event["args"]["step"].get<int>()}];
    double const begin = event["ts"];
    if (event["name"] == "all-reduce" && event["args"]["bucket"] == 0) step.reduce = begin;
    if (event["name"] == "micro-batch") step.model = std::max(step.model, begin + event["dur"].get<double>());
  }
  CHECK(steps.size() == 2 * 6);  // two epochs of 1437 samples, 256 a step
  CHECK(std::any_of(steps.begin(), steps.end(),
                    [](auto const& entry) { return entry.second.reduce < entry.second.model; }));
}

TEST_CASE("weir-train: IDX files are read, and the last sixth is held out unless there are test files") {
  TemporaryFolder const folder;
  auto const [images, labels] = idx_files(600);
  write(folder / "i", images);
  write(folder / "l", labels);
  std::string const pair = (folder / "i") + "," + (folder / "l");
  Json const held_out = outcome_of("--batch 10 --data idx:" + pair);
  CHECK(held_out["test_accuracy"] == 1.0);
  CHECK(held_out["steps"] == 20 * 50);
  CHECK(held_out["parameters"] == 20 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10);
  Json const with_test = outcome_of("--batch 10 --model cnn --epochs 3 --data idx:" + pair + "," + pair);
  CHECK(with_test["test_accuracy"] > 0.9);
  CHECK(with_test["steps"] == 3 * 60);
}

TEST_CASE("weir-train: an IDX file that is not what it should be is named, with what would be right") {
  TemporaryFolder const folder;
  auto const [images, labels] = idx_files(60);
  std::string const i = folder / "images", l = folder / "labels";
  auto const check = [&](std::string const& image_bytes, std::string const& label_bytes,
                         std::initializer_list<std::string> texts) {
    write(i, image_bytes);
    write(l, label_bytes);
    check_train_refused("--data idx:" + i + "," + l, 1, texts);
  };
  check(labels, labels, {i, "0x00000801", "0x00000803"});
  check(images, images, {l, "0x00000803", "0x00000801"});
  check("", labels, {i, "truncated"});
  check(images.substr(0, 15), labels, {i, "truncated"});
  check(images.substr(0, images.size() - 1), labels, {i, "truncated", "60 times 20"});
  check(images + "x", labels, {i, "too long"});
  check(images, labels.substr(0, 30), {l, "truncated", "60 times 1"});
  check(images, labels + "x", {l, "too long"});
  check(images, idx_files(61).second, {l, "61 labels", "60"});
  check(images, labels.substr(0, labels.size() - 1) + "\x0a", {l, "label 59 is 10", "0 to 9"});
  check("\x1f\x8b and so on", labels, {i, "gzip"});
  check(big_endian(0x803) + big_endian(0) + big_endian(4) + big_endian(5), labels, {i, "0 images"});
  check(big_endian(0x803) + big_endian(0xffffffff) + big_endian(0xffffffff) + big_endian(0xffffffff), labels,
        {i});
  auto const [few, few_labels] = idx_files(5);
  check(few, few_labels, {i, "5 images", "at least 6"});
  check_train_refused("--data idx:" + (folder / "none") + "," + l, 1, {folder / "none"});
  check_train_refused("--data idx:/," + l, 1, {"/: cannot be read"});
  std::string other = images;
  std::swap(other[11], other[15]);  // 5 x 4 pixels
  write(i, images);
  write(l, labels);
  write(folder / "other", other);
  check_train_refused("--data idx:" + i + "," + l + "," + (folder / "other") + "," + l, 1,
                      {folder / "other", "4 x 5"});
}

TEST_CASE(
    "weir-train: a learning rate at which the weights leave all bounds is an error that names the epoch") {
  check_train_refused("--learning-rate 1e30", 1, {"epoch 1", "1e+30"});
  check_train_refused("--learning-rate 1e30 --ranks 3 --batch 8", 1, {"epoch 1", "1e+30"});
}
