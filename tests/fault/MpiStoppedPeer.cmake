# cmake -D "RUN=mpirun;-n" -D PROGRAM=... -D EXPECTED=... -P MpiStoppedPeer.cmake
#
# Three ranks, of which one stops: both survivors report what is expected, and the run ends. The stopped process is killed.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${RUN} 3 "${PROGRAM}" TIMEOUT 60 OUTPUT_VARIABLE output ERROR_VARIABLE errors
                RESULT_VARIABLE result)
if(output MATCHES "stopped process ([0-9]+)")
  execute_process(COMMAND kill -KILL "${CMAKE_MATCH_1}" ERROR_QUIET)
else()
  message(FATAL_ERROR "no process has stopped itself:\n${output}\n${errors}")
endif()
if(result MATCHES "timeout")
  message(FATAL_ERROR "the survivors have not ended:\n${output}\n${errors}")
endif()
foreach(rank IN ITEMS 0 1)
  if(NOT output MATCHES "survivor ${rank}: ${EXPECTED}")
    message(FATAL_ERROR "rank ${rank} did not report the stopped rank:\n${output}\n${errors}")
  endif()
endforeach()
message(STATUS "${output}")
