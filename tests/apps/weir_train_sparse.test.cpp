#include <doctest/doctest.h>

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "program.hpp"
#include "weir_train/advice.hpp"
#include "weir_train_runs.hpp"

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t parameters = 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10;

}  // namespace

TEST_CASE(
    "weir-train: one percent of the gradients trains as well as all of them, in a fiftieth of the bytes") {
  double whole = 0, sparse = 0, forgetful = 0;
  for (std::string const seed : {"0", "1", "2", "3"}) {
    std::string const options = "--ranks 4 --batch 8 --epochs 30 --learning-rate 0.05 --seed " + seed;
    Json const all = outcome_of(options);
    Json const some = outcome_of(options + " --density 0.01");
    Json const lost = outcome_of(options + " --density 0.01 --feedback off");
    CHECK(some["steps"] == all["steps"]);
    CHECK(all["bytes_sent_per_step"] == 4 * parameters);
    CHECK(some["bytes_sent_per_step"].get<double>() <= 0.03 * 4 * parameters);
    CHECK(some["bytes_sent_per_step"].get<double>() >= 8 * 0.01 * parameters - 8);
    whole += all["test_accuracy"].get<double>() / 4;
    sparse += some["test_accuracy"].get<double>() / 4;
    forgetful += lost["test_accuracy"].get<double>() / 4;
  }
  CHECK(sparse > whole - 0.01);
  CHECK(forgetful < sparse);
}

TEST_CASE("weir-train: every estimator trains, and each selects in its own way") {
  std::string const options =
      "--ranks 2 --batch 16 --epochs 8 --learning-rate 0.02 --density 0.1 --estimator ";
  for (std::string const estimator :
       {"histogram", "exponential", "gamma", "gamma-approximate", "generalized-pareto", "gamma-pareto",
        "normal", "topk", "dgc", "redsync", "redsync-trim", "gaussian-k", "random-k"}) {
    CAPTURE(estimator);
    Json const outcome = outcome_of(options + estimator);
    CHECK(outcome["test_accuracy"] > 0.6);
    // Pairs of 8 bytes, at most twice as many as were asked for.
    CHECK(outcome["bytes_sent_per_step"].get<double>() > 0);
    CHECK(outcome["bytes_sent_per_step"].get<double>() <= 2 * 0.1 * parameters * 8 + 16);
    CHECK(outcome["name"].get<std::string>().ends_with("density 0.1 by " + estimator));
  }
  // The number of pairs, and the pairs: indices and values are filled up to whole words each.
  std::size_t const pairs = parameters / 10;
  CHECK(outcome_of(options + "topk")["bytes_sent_per_step"] == 8 + 2 * 8 * ((pairs + 1) / 2));
}

TEST_CASE("weir-train: stages are adaptive unless their number is given, and histogram is the default") {
  std::string const options = "--ranks 2 --epochs 2 --density 0.01";
  CHECK(hash_of(options) == hash_of(options + " --estimator histogram --feedback on"));
  for (std::string const stages : {"1", "3", "adaptive"})  // where nothing is fitted they do nothing
    CHECK(hash_of(options) == hash_of(options + " --stages " + stages));
  CHECK(hash_of(options) != hash_of(options + " --feedback off"));
  std::string const fitted = options + " --estimator exponential";
  CHECK(hash_of(fitted) == hash_of(fitted + " --stages adaptive"));
  CHECK(hash_of(fitted + " --stages 1") != hash_of(fitted + " --stages 2"));
  CHECK(hash_of(options + " --estimator random-k --seed 1") !=
        hash_of(options + " --estimator topk --seed 1"));
  // What is not below 1 is all.
  CHECK(hash_of("--epochs 2 --density 1 --estimator topk") == hash_of("--epochs 2"));
}

TEST_CASE(
    "weir-train: sparsified runs do not depend on threads, on the way weights come, or on what connects "
    "ranks") {
  std::string const options =
      "--epochs 2 --batch 8 --bucket-bytes 8000 --density 0.05 --estimator gamma-pareto";
  std::string const threads = hash_of(options + " --ranks 2 --workers 2");
  CHECK(threads == hash_of(options + " --ranks 2 --workers 2 --threads 1"));
  CHECK(threads == hash_of(options + " --ranks 2 --workers 2 --threads 5 --weight-sync overlap"));
#if WEIR_PROGRAMS_HAVE_MPI
  Json const mpi =
      outcome_of(run_program_mpi(2, "weir-train", "--report json --comm mpi --workers 2 " + options));
  CHECK(threads == mpi["weights_hash"]);
  CHECK(outcome_of(options + " --ranks 2 --workers 2")["bytes_sent_per_step"] == mpi["bytes_sent_per_step"]);
#endif
  CHECK(outcome_of(options)["bytes_sent_per_step"] == 0);  // a single rank has nobody to send to
}

TEST_CASE("weir-train: a checkpoint of sparsified ranks has what each has not sent yet") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  std::string const options =
      "--ranks 2 --batch 16 --density 0.01 --estimator generalized-pareto --hidden 32 --seed 3 --epochs ";
  outcome_of(options + "2 --save " + file);
  CHECK(folder.files() == 2);
  CHECK(hash_of(options + "5 --load " + file) == hash_of(options + "5"));
#if WEIR_PROGRAMS_HAVE_MPI
  std::string const mpi = "--comm mpi --batch 16 --density 0.01 --estimator generalized-pareto --hidden 32 ";
  CHECK(outcome_of(run_program_mpi(2, "weir-train",
                                   "--report json " + mpi + "--epochs 5 --load " + file))["weights_hash"] ==
        hash_of(options + "5"));
#endif
  check_train_refused("--hidden 32 --seed 3 --epochs 5 --ranks 2 --load " + file, 1,
                      {file, "sparsified by 2 ranks", "whole"});
  check_train_refused("--hidden 32 --density 0.01 --epochs 5 --load " + file, 1, {file, "2 ranks", "1 rank"});
  check_train_refused("--hidden 32 --density 0.01 --epochs 5 --ranks 3 --load " + file, 1, {file + ".rank2"});
  outcome_of("--ranks 2 --batch 16 --density 0.01 --hidden 16 --epochs 2 --save " + (folder / "other"));
  std::filesystem::copy_file(folder / "other.rank1", file + ".rank1",
                             std::filesystem::copy_options::overwrite_existing);
  check_train_refused(options + "5 --load " + file, 1, {file + ".rank1: ", "mlp 16", "mlp 32"});
}

TEST_CASE("weir-train: a run in which sparsifying does not pay says so in one line under the table") {
  std::string const options = "--ranks 2 --density 0.9 --hidden 768,768 --batch 256 --epochs 1";
  bool has_said_so = false;
  for (int turn = 0; turn < 3 && !has_said_so; ++turn) {  // a machine that is busy measures other things
    ProgramResult const run = run_program("weir-train", options);
    REQUIRE(run.status == 0);
    CHECK(run.error.empty());
    std::size_t const line = run.out.find("Sparsifying does not pay in \"mlp 768-768, sgd, 2 ranks");
    has_said_so = line != std::string::npos;
    if (has_said_so) CHECK(run.out.find('\n', line) == run.out.size() - 1);
  }
  CHECK(has_said_so);

  Json const outcome = outcome_of("--ranks 3 --density 0.1 --epochs 1");
  Json const& advice = outcome.at("advice");
  CHECK(advice.at("seconds_dense") > 0);
  CHECK(advice.at("seconds_sparse") > 0);
  CHECK(advice.at("pays") == (advice["seconds_sparse"] < advice["seconds_dense"]));
  CHECK(advice.at("break_even_density") >= 0);
  CHECK(advice.at("break_even_density") <= 1);
  CHECK_FALSE(outcome_of("--ranks 2 --epochs 1").contains("advice"));
  CHECK_FALSE(outcome_of("--density 0.1 --epochs 1").contains("advice"));
}

TEST_CASE("weir-train: the line about what does not pay has the times, and the density that would") {
  weir_train::Advice advice{.ranks = 4, .seconds_dense = 0.001, .seconds_sparse = 0.0025, .density = 0.03};
  CHECK(weir_train::text_of(advice, "run") ==
        "Sparsifying does not pay in \"run\": 2.5 ms a step to select, send and add up, 1 ms for whole "
        "gradients over these 4 ranks, as measured here; a density of at most 0.03, or none, would be "
        "faster.\n");
  advice.density = 0;
  CHECK(weir_train::text_of(advice, "run").ends_with("; no --density would be faster.\n"));
  advice.seconds_sparse = 0.0005;
  CHECK(weir_train::text_of(advice, "run").empty());
}

TEST_CASE("weir-train: options of the sparsifier that cannot be used are answered by one line and status 2") {
  for (std::string const density : {"0", "-0.1", "1.5", "nan", "few"})
    check_train_refused("--density " + density, 2, {"--density " + density, "above 0, at most 1"});
  check_train_refused("--density 0.1 --estimator best", 2,
                      {"--estimator best", "histogram, exponential", "gaussian-k or random-k"});
  check_train_refused("--density 0.1 --feedback maybe", 2, {"--feedback maybe", "on or off"});
  for (std::string const stages : {"0", "-1", "2.5", "many", "4294967296", "99999999999999999999"})
    check_train_refused("--density 0.1 --estimator normal --stages " + stages, 2,
                        {"--stages " + stages, "whole number"});
  for (std::string const estimator : {"gamma", "gamma-approximate"}) {
    for (std::string const stages : {"2", "adaptive"})
      check_train_refused("--density 0.1 --estimator " + estimator + " --stages " + stages, 2,
                          {"--stages " + stages, "1, all that " + estimator + " has"});
  }
  check_train_refused("--estimator histogram", 2, {"--estimator", "--density"});
  check_train_refused("--stages adaptive", 2, {"--stages", "--density"});
  check_train_refused("--feedback on", 2, {"--feedback", "--density"});
}
