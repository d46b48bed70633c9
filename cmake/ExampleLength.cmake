# cmake -D EXAMPLE_DIR=examples -P ExampleLength.cmake
#
# A numbered example has at most 80 lines.
cmake_minimum_required(VERSION 3.25)

set(limit 80)
file(GLOB examples "${EXAMPLE_DIR}/[0-9][0-9]_*.c*")
if(NOT examples)
  message(FATAL_ERROR "no numbered example in ${EXAMPLE_DIR}")
endif()
foreach(example IN LISTS examples)
  file(READ "${example}" text)
  string(REGEX REPLACE "[^\n]" "" newlines "${text}")
  string(LENGTH "${newlines}" lines)
  if(lines GREATER limit)
    message(SEND_ERROR "${example} has ${lines} lines, at most ${limit}")
  endif()
endforeach()
