# Settings for tests, examples and benchmarks, not for users of the library.
include(Warnings)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(CCACHE ccache)
if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

if(WEIR_NVCC)
  # Beside each object file its .ptxas says what every kernel in it takes.
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${CMAKE_CURRENT_LIST_DIR}/ptxas_report.sh" ${CMAKE_CXX_COMPILER_LAUNCHER})
  add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v>)

  # The kernels once, for all programs here whose own sources another compiler compiles.
  add_library(weir-kernels STATIC EXCLUDE_FROM_ALL)
  target_link_libraries(weir-kernels PRIVATE weir::cuda_kernels weir-warnings PUBLIC weir::cuda)
  add_dependencies(cuda-units weir-kernels)
endif()

if(WEIR_SANITIZE)
  # Optimising takes two to four times as long to compile with these checks in, and saves less in running; line numbers of
  # stack frames take a third more.
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O0 -g0)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
endif()

# What tests and examples with several ranks are started with; the number of ranks follows.
if("mpi" IN_LIST WEIR_PRESENT)
  set(WEIR_MPIRUN "${MPIEXEC_EXECUTABLE}")
  execute_process(COMMAND "${MPIEXEC_EXECUTABLE}" --version OUTPUT_VARIABLE version ERROR_QUIET)
  if(version MATCHES "Open MPI|OpenRTE")
    list(APPEND WEIR_MPIRUN --oversubscribe --bind-to none)
    execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(user STREQUAL "0")
      list(APPEND WEIR_MPIRUN --allow-run-as-root)
    endif()
  endif()
  list(APPEND WEIR_MPIRUN "${MPIEXEC_NUMPROC_FLAG}")
endif()

enable_testing()
