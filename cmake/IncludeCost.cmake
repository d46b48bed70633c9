# cmake -D INCLUDE_DIR=include -D COMPILER=g++ -D WORK_DIR=dir -P IncludeCost.cmake
#
# Counts the lines that are left of a header after preprocessing, blank ones aside.
cmake_minimum_required(VERSION 3.25)

set(limit 80000)
set(limit_without_threads 40000)

file(MAKE_DIRECTORY "${WORK_DIR}")
file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}" "${INCLUDE_DIR}/weir/*.hpp")
list(FILTER headers EXCLUDE REGEX "^weir/(cuda|mpi|nccl|interop)/")
if(NOT headers)
  message(FATAL_ERROR "no header under ${INCLUDE_DIR}/weir")
endif()
set(errors "")
foreach(header IN LISTS headers)
  execute_process(COMMAND "${COMPILER}" -std=c++20 "-I${INCLUDE_DIR}" -E -MD -MF "${WORK_DIR}/dependencies"
                          -include "${header}" -x c++ /dev/null -o "${WORK_DIR}/preprocessed"
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND grep -c . "${WORK_DIR}/preprocessed" OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(READ "${WORK_DIR}/dependencies" dependencies)
  set(allowed ${limit})
  if(NOT dependencies MATCHES "/(thread|mutex|condition_variable)[ \n]")
    set(allowed ${limit_without_threads})
  endif()
  if(lines GREATER allowed)
    string(APPEND errors "  ${header}: ${lines}, at most ${allowed}\n")
  endif()
  if(header STREQUAL "weir/weir.hpp" OR lines GREATER allowed)
    message(STATUS "${header}: ${lines} lines that are not blank")
  endif()
endforeach()
if(errors)
  message(FATAL_ERROR "headers that cost too much to include:\n${errors}")
endif()
