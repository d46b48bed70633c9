#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "program.hpp"
#include "sparsify_files.hpp"

namespace {

/// What each program is told besides its outputs, `first` and `second`.
struct Writer {
  std::string arguments;
  std::string first;
  std::string second;
};

std::string const profile =
    std::filesystem::path(__FILE__).parent_path() / "../../examples/data/iidp_quickstart_profile.json";

std::vector<Writer> writers(std::string const& gradient) {
  write(gradient, weir_test::npy("<f4", std::vector<float>{1, 2, 3}));
  return {{"weir-sparsify " + gradient + " --density 0.5 --estimator topk", "--indices", "--residual"},
          {"weir-design --outputs 8 --inputs 8", "--matrix", "--mtx"},
          {"weir-schedule --name gpipe --workers 2 --microbatches 2", "--export", "--svg"},
          {"weir-train --epochs 1", "--trace", "--timeline"},
          {"weir-train --epochs 1 --pipeline gpipe --pipeline-workers 2", "--trace", "--timeline"}};
}

}  // namespace

TEST_CASE("an output that cannot be written leaves none of the others in place") {
  TemporaryFolder const folder;
  for (Writer const& writer : writers(folder / "g.npy")) {
    std::string const outputs = " " + writer.first + " " + (folder / "a") + " " + writer.second;
    ProgramResult const result =
        run_command(WEIR_PROGRAM_DIR "/" + writer.arguments + outputs + " /dev/full");
    CAPTURE(writer.arguments);
    CAPTURE(result.error);
    CHECK(result.status != 0);
    CHECK(result.out.empty());
    CHECK(result.error.find("/dev/full") != std::string::npos);
    CHECK(result.error.find("would be right") != std::string::npos);
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("a report that cannot be written leaves no output in place, but what took a training") {
  TemporaryFolder const folder;
  auto all = writers(folder / "g.npy");
  std::erase_if(all, [](Writer const& writer) { return writer.arguments.starts_with("weir-train"); });
  all.push_back({"weir-plan --batch 512 --profile " + profile, "--chart", ""});
  for (Writer const& writer : all) {
    std::string outputs = " " + writer.first + " " + (folder / "a");
    if (!writer.second.empty()) outputs += " " + writer.second + " " + (folder / "b");
    ProgramResult const result =
        run_command("(" WEIR_PROGRAM_DIR "/" + writer.arguments + outputs + " >/dev/full)");
    CAPTURE(writer.arguments);
    CAPTURE(result.error);
    CHECK(result.status == 1);
    CHECK(result.error.find("standard output") != std::string::npos);
    CHECK(folder.files() == 1);
  }
  ProgramResult const result =
      run_command("(" WEIR_PROGRAM_DIR "/weir-train --epochs 1 --save " + (folder / "a") + " >/dev/full)");
  CHECK(result.status == 1);
  CHECK(folder.files() == 2);
}

TEST_CASE("two outputs in one file are refused, however the file is named") {
  TemporaryFolder const folder;
  std::filesystem::create_directory(folder / "d");
  std::filesystem::create_symlink("d", folder / "link");
  for (Writer const& writer : writers(folder / "g.npy")) {
    for (std::string const other : {"d/a", "./d/a", "d/../d/a", "link/a", "d//a"}) {
      std::string const arguments =
          writer.arguments + " " + writer.first + " d/a " + writer.second + " " + other;
      ProgramResult const result =
          run_command("(cd " + (folder / "") + " && " WEIR_PROGRAM_DIR "/" + arguments + ")");
      CAPTURE(arguments);
      CAPTURE(result.error);
      CHECK(result.status == 2);
      CHECK(result.error.find(writer.second + " " + other + ": " + writer.first) != std::string::npos);
    }
    ProgramResult const result = run_command(WEIR_PROGRAM_DIR "/" + writer.arguments + " " + writer.first +
                                             " /dev/null " + writer.second + " /dev/null");
    CHECK(result.status == 0);
  }
}

TEST_CASE("a report that cannot be written is an error of every program") {
  for (std::string const arguments :
       {"weir-train --help", "weir-train --epochs 1", "weir-sparsify --help", "weir-design --table mlp",
        "weir-schedule --list", "weir-plan --help"}) {
    CAPTURE(arguments);
    ProgramResult const result = run_command("(" WEIR_PROGRAM_DIR "/" + arguments + " >/dev/full)");
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    CHECK(result.error.starts_with(arguments.substr(0, arguments.find(' ')) + ": standard output"));
    CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  }
}

TEST_CASE("weir-train: a trace goes through a pipe to who reads it") {
  TemporaryFolder const folder;
  std::string const pipe = folder / "pipe", copy = folder / "copy";
  ProgramResult const result =
      run_command("{ mkfifo " + pipe + "; timeout 60 cat " + pipe + " >" + copy +
                  " & timeout 60 " WEIR_PROGRAM_DIR "/weir-train --epochs 1 --trace " + pipe +
                  "; status=$?; wait; exit $status; }");
  CHECK(result.status == 0);
  CHECK(content(copy).starts_with("{"));
  CHECK(content(copy).ends_with("}\n"));
}
