#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/cuda/stand_in.hpp"

/// A stand-in machine for one test, which fails where a rule of CUDA was broken or something was left behind.
class CleanSession : public stand_in::Session {
 public:
  explicit CleanSession(stand_in::Options options = {}) : Session(options) {}

  ~CleanSession() {
    run_all();
    for (std::string const& violation : take_violations()) FAIL_CHECK(violation);
    CHECK(inventory() == stand_in::Inventory{});
  }
};
