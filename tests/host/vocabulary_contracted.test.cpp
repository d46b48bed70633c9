// The verbs once more, in a unit where the compiler is told to fuse multiplications with additions (it is
// compiled with -O3 -march=native -ffp-contract=fast). Another inline namespace keeps these functions apart
// from the other units' in the linked program.

#define v1 contracted
#include "weir/host/executor.hpp"
#undef v1

#include <doctest/doctest.h>

#include <cstddef>

#include "verb_hashes.hpp"

#if defined(__FMA__) || defined(__aarch64__)

TEST_CASE("the verbs give the same bits where the compiler fuses multiplications with additions") {
  double const volatile one_plus = 1 + 0x1p-40;
  double const volatile rounded_square = -(1 + 0x1p-39);
  double const factor = one_plus;
  CHECK_MESSAGE(factor * factor + rounded_square == 0x1p-80, "this unit fuses, or proves nothing");

  weir::HostExecutor const executor{{.threads = 2}};
  CHECK(hash_of_verbs(executor, 1000) == verb_hash_of_1000);
  CHECK(hash_of_verbs(executor, 700'001) == verb_hash_of_700001);
}

#endif
