# cmake -D INCLUDE_DIR=include -D TEST_DIR=tests -P TestPaths.cmake
#
# include/weir/a/b.hpp has tests/a/b.test.cpp, b.static.cpp or b.fail.cpp; b.cuh has b.test.cu, b.core.cu or b.static.cu
# as well. The umbrellas have the test of two units.
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}/weir" "${INCLUDE_DIR}/weir/*/*.hpp" "${INCLUDE_DIR}/weir/*/*.cuh")
if(NOT headers)
  message(FATAL_ERROR "no header in a folder of ${INCLUDE_DIR}/weir")
endif()
set(missing "")
foreach(header IN LISTS headers)
  cmake_path(REMOVE_EXTENSION header OUTPUT_VARIABLE stem)
  file(GLOB tests "${TEST_DIR}/${stem}.test.*" "${TEST_DIR}/${stem}.static.*" "${TEST_DIR}/${stem}.fail.*"
       "${TEST_DIR}/${stem}.core.*")
  if(NOT tests)
    string(APPEND missing "  ${header}\n")
  endif()
endforeach()
if(missing)
  message(FATAL_ERROR "headers without a test of the same path:\n${missing}")
endif()
