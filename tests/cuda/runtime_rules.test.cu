#include "support/cuda/runtime_rules.hpp"

TEST_CASE("the rules of the CUDA runtime, which the stand-in follows") {
  runtime_rules::check_all();
}
