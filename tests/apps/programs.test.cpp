#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "program.hpp"

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
