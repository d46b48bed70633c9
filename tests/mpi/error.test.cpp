#include "weir/mpi/error.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("an error names the call, what MPI says, and the place") {
  CHECK_NOTHROW(weir::check_mpi(MPI_SUCCESS, "MPI_Isend"));
  try {
    weir::check_mpi(MPI_ERR_RANK, "MPI_Isend");
    FAIL("an error code is an error");
  } catch (weir::MpiError const& error) {
    std::string const text = error.what();
    CHECK(error.code() == MPI_ERR_RANK);
    CHECK(text.starts_with("MPI_Isend: MPI_ERR_RANK"));
    CHECK(text.find("error.test.cpp:") != std::string::npos);
  }
}
