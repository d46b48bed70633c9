#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <mpi.h>

// Every process runs all tests; each has its own verdict, and one that fails fails the run.
int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  doctest::Context context(argc, argv);
  context.setOption("no-colors", true);
  if (rank != 0) context.setOption("minimal", true);
  int const failed = context.run();
  MPI_Finalize();
  return failed;
}
