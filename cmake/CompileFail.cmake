# cmake -D SOURCE=x.fail.cpp -D COMPILER=c++ -D INCLUDES=dir;dir -P CompileFail.cmake
#
# A must-not-compile case: the first line of SOURCE is `// expect: <regex>`. It has to be refused with a message
# that matches, and with WEIR_FAIL_CONTROL defined (the correct form) it has to compile.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// expect: <regex>`")
endif()
set(expected "${CMAKE_MATCH_1}")
list(REMOVE_ITEM INCLUDES "")  # of a dependency that is not here
list(TRANSFORM INCLUDES PREPEND -I)
set(ENV{LC_ALL} C)
set(compile "${COMPILER}" -std=c++20 -O0 ${INCLUDES} -c "${SOURCE}" -o /dev/null)

execute_process(COMMAND ${compile} -DWEIR_FAIL_CONTROL -Wall -Wextra -Werror
                RESULT_VARIABLE status ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  string(REPLACE "\n" "\n  " output "${output}")  # indented text is not wrapped
  message(FATAL_ERROR "the correct form does not compile:\n  ${output}")
endif()

execute_process(COMMAND ${compile} RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "the wrong form compiles")
endif()
if(NOT output MATCHES "${expected}")
  string(REPLACE "\n" "\n  " output "${output}")  # indented text is not wrapped
  message(FATAL_ERROR "the message does not match `${expected}`:\n  ${output}")
endif()
