#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "weir/core/error.hpp"
#include "weir/mpi/communicator.hpp"

// An MPI that is not running, or gives fewer threads than are needed, is refused by name, and so is
// MPI_COMM_NULL. One process; each of the three states of MPI is met once in its life.

namespace {

constexpr int skipped = 77;

/// Whether making a communicator is refused with an error that holds `expected`.
bool is_refused(MPI_Comm communicator, std::string const& expected) {
  try {
    weir::MpiCommunicator const made(communicator);
    std::printf("wrong: no error, expected: %s\n", expected.c_str());
  } catch (weir::ContractViolation const& error) {
    bool const is_right = std::string(error.what()).find(expected) != std::string::npos;
    std::printf("%s: %s\n", is_right ? "right" : "wrong", error.what());
    return is_right;
  }
  return false;
}

char const* name_of(int level) {
  return level == MPI_THREAD_SINGLE ? "MPI_THREAD_SINGLE" : "MPI_THREAD_FUNNELED";
}

}  // namespace

/// The argument is the level that is asked for: single, funneled or serialized.
int main(int argc, char** argv) {
  std::string const level = argc > 1 ? argv[1] : "";
  int const asked = level == "single"     ? MPI_THREAD_SINGLE
                    : level == "funneled" ? MPI_THREAD_FUNNELED
                                          : MPI_THREAD_SERIALIZED;
  bool is_right = is_refused(MPI_COMM_WORLD, "MPI is not running");
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, asked, &provided);
  bool const is_enough = provided >= MPI_THREAD_SERIALIZED;
  if (is_enough) {
    is_right &= is_refused(MPI_COMM_NULL, "MPI_COMM_NULL is no communicator");
    if (asked == MPI_THREAD_SERIALIZED) weir::MpiCommunicator const made(MPI_COMM_WORLD);
  } else {
    is_right &=
        is_refused(MPI_COMM_WORLD, std::string("MPI was initialised with ") + name_of(provided) + ",");
    is_right &= is_refused(MPI_COMM_WORLD, "MPI_THREAD_SERIALIZED or more is needed");
  }
  MPI_Finalize();
  is_right &= is_refused(MPI_COMM_WORLD, "MPI is not running");
  if (!is_right) return EXIT_FAILURE;
  if (asked < MPI_THREAD_SERIALIZED && is_enough) {
    std::printf("skipped: this MPI gives more threads than %s, which was asked for\n", name_of(asked));
    return skipped;
  }
  return EXIT_SUCCESS;
}
