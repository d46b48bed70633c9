# cmake -D INCLUDE_DIR=include -D HEADER=weir/weir.hpp -D MILLISECONDS=1200 -D PERCENT=320 -D COMPILER=g++
#       -D WORK_DIR=dir -P IncludeTime.cmake
#
# What a header costs to include: the compiler is run on it five times, and the best time counts.
#
# The limit in milliseconds is for the machine on which it was set. Others are slower, or busy: where it is passed, the
# time is held against that of the threads of the standard library, which every user pays for, measured in turns with
# the header. On quiet machines weir.hpp takes 2.2 to 2.4 times as long as those; a busy one slows them unevenly, so the
# limit in percent is well above.
cmake_minimum_required(VERSION 3.25)

set(reference "<thread> <vector> <span> <mutex> <condition_variable>")

# Sets `best` to the time in milliseconds that `file` takes, if that is less.
function(weir_best_time file best)
  string(TIMESTAMP begin "%s%f" UTC)
  execute_process(COMMAND "${COMPILER}" -std=c++20 "-I${INCLUDE_DIR}" -fsyntax-only "${file}" COMMAND_ERROR_IS_FATAL ANY)
  string(TIMESTAMP end "%s%f" UTC)
  math(EXPR time "(${end} - ${begin}) / 1000")
  if(NOT DEFINED ${best} OR time LESS ${best})
    set(${best} ${time} PARENT_SCOPE)
  endif()
endfunction()

file(WRITE "${WORK_DIR}/header.cpp" "#include \"${HEADER}\"\n")
string(REGEX REPLACE "(<[a-z_]+>) ?" "#include \\1\n" includes "${reference}")
file(WRITE "${WORK_DIR}/reference.cpp" "${includes}")
foreach(turn RANGE 1 5)
  weir_best_time("${WORK_DIR}/header.cpp" time_of_header)
  weir_best_time("${WORK_DIR}/reference.cpp" time_of_reference)
endforeach()

math(EXPR ratio "100 * ${time_of_header} / ${time_of_reference}")
set(text "${HEADER}: ${time_of_header} ms, ${ratio} % of the ${time_of_reference} ms of ${reference}")
if(time_of_header GREATER MILLISECONDS AND ratio GREATER PERCENT)
  message(FATAL_ERROR "a header takes too long to include:\n  ${text}; at most ${MILLISECONDS} ms or ${PERCENT} %")
endif()
message(STATUS "${text}")
