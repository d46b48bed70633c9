# cmake -D INCLUDE_DIR=include -P LayerCheck.cmake
#
# Reads every include of include/weir and holds it against the table of layers in docs/architecture.md: a folder
# may include itself and what stands here.
cmake_minimum_required(VERSION 3.25)

set(base core tensor exec)
set(middle comm stage trace state)
set(primitives workers gradient compress mask pipeline optim plan)
set(backends host cuda mpi nccl)

set(core_may "")
set(tensor_may core)
set(exec_may core tensor)
set(interop_may core tensor exec)
foreach(folder IN LISTS middle)
  set(${folder}_may ${base})
endforeach()
foreach(folder IN LISTS primitives)
  set(${folder}_may ${base} ${middle})
endforeach()
foreach(folder IN LISTS backends)
  set(${folder}_may ${base} comm/concepts.hpp)
endforeach()
list(APPEND mpi_may comm/options.hpp comm/fingerprint.hpp comm/mismatch.hpp comm/operation_log.hpp  # what engines share
     comm/check_arguments.hpp comm/even_split.hpp comm/rank_order.hpp
     comm/remote_transport.hpp comm/pipeline_transport.hpp comm/pipeline_message.hpp comm/message_pool.hpp  # of a pipeline
     comm/message_numbers.hpp comm/direction.hpp comm/place_workers.hpp)
set(nccl_may ${mpi_may} comm/byte_exchange.hpp comm/remote_stream_transport.hpp cuda)  # a CUDA stream is what NCCL enqueues on
list(APPEND cuda_may comm/check_arguments.hpp  # of StagedCommunicator, which works over any transport of a host
     comm/remote_stream_transport.hpp comm/place_workers.hpp)  # of a pipeline

set(posix "fcntl\\.h|unistd\\.h|sys/stat\\.h")  # files that are replaced whole or not at all
set(needs_more_than_a_compiler cuda mpi nccl interop)
set(errors "")
file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}/weir" "${INCLUDE_DIR}/weir/*.hpp" "${INCLUDE_DIR}/weir/*.cuh")
list(LENGTH headers count)
if(count EQUAL 0)
  message(FATAL_ERROR "no header under ${INCLUDE_DIR}/weir")
endif()

foreach(header IN LISTS headers)
  string(REGEX MATCH "^[^/]+" folder "${header}")
  set(umbrella FALSE)
  if(folder STREQUAL header)  # weir.hpp and weir.cuh include every folder that their extension allows
    set(umbrella TRUE)
  elseif(NOT DEFINED ${folder}_may)
    string(APPEND errors "  ${header}: the folder ${folder}/ is in no layer\n")
    continue()
  endif()
  file(STRINGS "${INCLUDE_DIR}/weir/${header}" lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(line MATCHES "\"weir/(([^/\"]+)[^\"]*)\"")
      set(target "${CMAKE_MATCH_1}")
      set(target_folder "${CMAKE_MATCH_2}")
      if(umbrella)
        if(header MATCHES "hpp$" AND target_folder IN_LIST needs_more_than_a_compiler)
          string(APPEND errors "  ${header} includes ${target}, which needs more than a C++20 compiler\n")
        endif()
      elseif(NOT (target_folder STREQUAL folder OR target_folder IN_LIST ${folder}_may OR target IN_LIST ${folder}_may))
        list(JOIN ${folder}_may ", " allowed)
        string(APPEND errors "  ${header} includes ${target}; ${folder}/ may include: ${allowed}\n")
      endif()
    elseif(line MATCHES "\"")
      string(APPEND errors "  ${header}: ${line} is not written as \"weir/...\"\n")
    elseif(header MATCHES "hpp$" AND NOT folder IN_LIST needs_more_than_a_compiler AND NOT line MATCHES "<([a-z_]+|${posix})>")
      string(APPEND errors "  ${header}: ${line} is no header of the C++ standard library or of POSIX files\n")
    endif()
  endforeach()
endforeach()

if(errors)
  message(FATAL_ERROR "includes against the layers:\n${errors}")
endif()
message(STATUS "${count} headers keep to the layers")
