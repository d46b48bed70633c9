# cmake -D "CHECK=-D;NAME=value;-P;check.cmake" -D EXPECTED=regex -P Refuses.cmake
#
# A check of the repository, given something that violates it, fails with a message that matches.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${CMAKE_COMMAND}" ${CHECK} RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "the check passes")
endif()
if(NOT output MATCHES "${EXPECTED}")
  string(REPLACE "\n" "\n  " output "${output}")  # indented text is not wrapped
  message(FATAL_ERROR "the message does not match `${EXPECTED}`:\n  ${output}")
endif()
