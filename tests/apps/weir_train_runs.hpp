#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "program.hpp"

/// The only configuration of a run of weir-train that must end well.
inline nlohmann::ordered_json outcome_of(ProgramResult const& result) {
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  auto const report = nlohmann::ordered_json::parse(result.out);
  REQUIRE(report.at("configurations").size() == 1);
  return report["configurations"][0];
}

inline nlohmann::ordered_json outcome_of(std::string const& arguments) {
  CAPTURE(arguments);
  return outcome_of(run_program("weir-train", "--report json " + arguments));
}

inline std::string hash_of(std::string const& arguments) {
  return outcome_of(arguments).at("weights_hash");
}

/// Nothing on standard output, and one line on standard error that holds each of `texts`.
inline void check_train_refused(ProgramResult const& result, int status,
                                std::initializer_list<std::string> texts) {
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("weir-train: "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  CHECK(result.error.ends_with("\n"));
  for (std::string const& text : texts) {
    CAPTURE(result.error);
    CAPTURE(text);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

inline void check_train_refused(std::string const& arguments, int status,
                                std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  check_train_refused(run_program("weir-train", arguments), status, texts);
}
