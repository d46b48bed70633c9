# What the library, and not its tests, may need. WEIR_PRESENT lists the opt-in parts of include/weir whose
# dependency is here: folders, and single headers of interop/.
find_package(Threads REQUIRED)
set(WEIR_PRESENT "")

if(WEIR_MPI)
  set(MPI_CXX_SKIP_MPICXX ON)  # the C interface only
  find_package(MPI COMPONENTS CXX)
  if(NOT MPI_CXX_FOUND AND NOT WEIR_MPI STREQUAL "AUTO")
    message(FATAL_ERROR "WEIR_MPI is ${WEIR_MPI}, but no MPI is found: install one, or set it to AUTO or OFF")
  endif()
  if(MPI_CXX_FOUND)
    list(APPEND WEIR_PRESENT mpi)
  endif()
endif()

include(Cuda)
if(WEIR_NCCL AND "cuda" IN_LIST WEIR_PRESENT)
  find_package(NCCL 2.18 QUIET)
  if(NCCL_FOUND)
    list(APPEND WEIR_PRESENT nccl)
  endif()
endif()

if(WEIR_TESTS OR WEIR_EXAMPLES)
  find_package(Eigen3 REQUIRED NO_MODULE)
  list(APPEND WEIR_PRESENT interop/eigen)
endif()

# Sets `result` to whether the dependency of a file is here, whose path is relative to include/weir or to tests.
function(weir_is_present path result)
  set(${result} TRUE PARENT_SCOPE)
  if(path MATCHES "^(cuda|mpi|nccl|interop/[a-z_]+)" AND NOT CMAKE_MATCH_1 IN_LIST WEIR_PRESENT)
    set(${result} FALSE PARENT_SCOPE)
  endif()
  if(path MATCHES "^mpi/staged" AND NOT "cuda" IN_LIST WEIR_PRESENT)  # device memory over MPI
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
