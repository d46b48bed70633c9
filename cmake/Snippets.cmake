# cmake -D SOURCE_DIR=. -P Snippets.cmake
#
# Every ```cpp block of README.md and docs/ stands, line by line and indentation aside, in a file of examples/ or
# tests/, so that it is compiled.
cmake_minimum_required(VERSION 3.25)

function(read_normalized file result)
  file(READ "${file}" text)
  string(REGEX REPLACE "[ \t]*\n[ \t]*" "\n" text "\n${text}\n")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

set(compiled "")
file(GLOB_RECURSE sources "${SOURCE_DIR}/examples/*.[ch]pp" "${SOURCE_DIR}/tests/*.[ch]pp"
     "${SOURCE_DIR}/examples/*.cu" "${SOURCE_DIR}/tests/*.cu")
foreach(source IN LISTS sources)
  read_normalized("${source}" text)
  string(APPEND compiled "${text}")
endforeach()

set(count 0)
set(errors "")
file(GLOB_RECURSE pages RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/docs/*.md")
foreach(page IN LISTS pages ITEMS README.md)
  if(NOT EXISTS "${SOURCE_DIR}/${page}")
    continue()
  endif()
  read_normalized("${SOURCE_DIR}/${page}" text)
  while(TRUE)
    string(FIND "${text}" "\n```cpp\n" start)
    if(start EQUAL -1)
      break()
    endif()
    math(EXPR start "${start} + 7")  # at the line end before the first line of the block
    string(SUBSTRING "${text}" ${start} -1 text)
    string(FIND "${text}" "\n```\n" length)
    math(EXPR length "${length} + 1")  # with the line end after the last line
    string(SUBSTRING "${text}" 0 ${length} block)
    string(SUBSTRING "${text}" ${length} -1 text)
    string(FIND "${compiled}" "${block}" found)
    if(found EQUAL -1)
      string(APPEND errors "${page}:${block}\n")
    endif()
    math(EXPR count "${count} + 1")
  endwhile()
endforeach()
if(errors)
  message(FATAL_ERROR "code that no file of examples/ or tests/ has:\n${errors}")
endif()
if(count EQUAL 0)
  message(FATAL_ERROR "no block of code in README.md or docs/ of ${SOURCE_DIR}")
endif()
message(STATUS "${count} blocks are quoted from compiled files")
