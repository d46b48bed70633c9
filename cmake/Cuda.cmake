# Looks for CUDA as WEIR_CUDA says. Where its headers and its runtime library are here, which is all that another
# compiler needs, there is the target CUDA::cudart, and cuda in WEIR_PRESENT. Where .cu files are compiled too, WEIR_NVCC
# is true and the language is enabled.
set(WEIR_NVCC FALSE)
if(NOT WEIR_CUDA)
  return()
endif()

set(oldest 12.4)
# Asked for by a project of 3.25, the module of CMake 3.25 fails where CUDA has no nvToolsExt any more, as CUDA 13.
set(minimum "${CMAKE_MINIMUM_REQUIRED_VERSION}")
set(CMAKE_MINIMUM_REQUIRED_VERSION 3.24)
find_package(CUDAToolkit ${oldest} QUIET)
set(CMAKE_MINIMUM_REQUIRED_VERSION "${minimum}")
if(NOT CUDAToolkit_FOUND AND WEIR_CUDA STREQUAL "ON")
  message(FATAL_ERROR "WEIR_CUDA=ON needs CUDA ${oldest} or later with nvcc: put nvcc on the PATH or set CUDAToolkit_ROOT")
endif()
if(NOT CUDAToolkit_FOUND)  # FindCUDAToolkit wants nvcc
  find_path(WEIR_CUDA_INCLUDE_DIR cuda_runtime_api.h PATHS /usr/local/cuda/include)
  find_library(WEIR_CUDART_LIBRARY NAMES cudart libcudart.so.13 libcudart.so.12 PATHS /usr/local/cuda/lib64)
  mark_as_advanced(WEIR_CUDA_INCLUDE_DIR WEIR_CUDART_LIBRARY)
  set(version 0)
  if(WEIR_CUDA_INCLUDE_DIR)
    file(STRINGS "${WEIR_CUDA_INCLUDE_DIR}/cuda_runtime_api.h" line REGEX "^#define CUDART_VERSION +[0-9]+")
    string(REGEX MATCH "[0-9]+$" version "${line}")
  endif()
  if(version GREATER_EQUAL 12040 AND WEIR_CUDART_LIBRARY)
    add_library(CUDA::cudart UNKNOWN IMPORTED)
    set_target_properties(CUDA::cudart PROPERTIES IMPORTED_LOCATION "${WEIR_CUDART_LIBRARY}"
                                                  INTERFACE_INCLUDE_DIRECTORIES "${WEIR_CUDA_INCLUDE_DIR}")
  endif()
endif()
if(TARGET CUDA::cudart)
  list(APPEND WEIR_PRESENT cuda)
elseif(PROJECT_IS_TOP_LEVEL)
  message(NOTICE "CUDA: skipped, no CUDA ${oldest} or later is found")
endif()

if(NOT (WEIR_TESTS OR WEIR_EXAMPLES OR WEIR_BENCHMARKS) OR NOT WEIR_CUDA MATCHES "^(ON|AUTO)$")
  return()
endif()
if(NOT CUDAToolkit_NVCC_EXECUTABLE)
  message(NOTICE "CUDA: kernels skipped, no nvcc")
  return()
endif()
if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}")
endif()
set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "What .cu files are compiled for, as 80-real;90a-real")
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
set(WEIR_NVCC TRUE)
add_custom_target(cuda-units)  # all that nvcc compiles
add_custom_target(gpu)  # what `./dev gpu` runs
