# cmake -D SOURCE=x.fail.cpp -D COMPILER=c++ -D INCLUDES=dir;dir -P CompileFail.cmake
#
# A must-not-compile case: the first lines of SOURCE are `// expect: <regex>`, one for each compiler where they say
# it in other words. It has to be refused with a message that matches one, and with WEIR_FAIL_CONTROL defined (the
# correct form) it has to compile. The path of SOURCE in messages and its lines that the compiler repeats do not
# count: they are there whatever is wrong with them.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${SOURCE}" lines)
set(expected "")
foreach(line IN LISTS lines)
  if(line MATCHES "^// expect: (.+)$")
    string(APPEND expected "|(${CMAKE_MATCH_1})")
  elseif(expected STREQUAL "")
    message(FATAL_ERROR "${SOURCE}: the first line must be `// expect: <regex>`")
  elseif(line MATCHES "^//")
    message(FATAL_ERROR "${SOURCE}: `${line}` belongs to no expectation; each in a line of its own would be right")
  else()
    break()
  endif()
endforeach()
string(SUBSTRING "${expected}" 1 -1 expected)
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
string(REPLACE "${SOURCE}" "" output "${output}")
foreach(line IN LISTS lines)
  string(REPLACE "| ${line}\n" "\n" output "${output}")  # g++ writes the number of the line before it
  string(REPLACE "\n${line}\n" "\n\n" output "${output}")
endforeach()
if(NOT output MATCHES "${expected}")
  string(REPLACE "\n" "\n  " output "${output}")  # indented text is not wrapped
  message(FATAL_ERROR "the message does not match `${expected}`:\n  ${output}")
endif()
