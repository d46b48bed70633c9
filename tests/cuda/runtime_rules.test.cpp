#include "support/cuda/runtime_rules.hpp"

#include "support/cuda/clean_session.hpp"

TEST_CASE("the rules of the CUDA runtime, on the stand-in") {
  CleanSession const session;
  runtime_rules::check_all();
}
