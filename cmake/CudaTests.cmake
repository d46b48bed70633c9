# The tests that nvcc compiles, where there is one: a folder's *.test.cu are one program that needs a GPU, and is skipped
# without; all *.core.cu are one program that runs on the processor; *.static.cu are compiled.
set(cuda_core_tests "")
add_library(weir-gpu-main OBJECT support/cuda/gpu_main.cpp)
target_link_libraries(weir-gpu-main PRIVATE doctest::doctest weir::cuda)

function(weir_cuda_test_settings target)
  weir_test_settings(${target})
  target_link_libraries(${target} PRIVATE weir::cuda)
  add_dependencies(cuda-units ${target})
endfunction()

foreach(suite IN LISTS entries)
  foreach(kind IN ITEMS static core test)
    weir_suite_files("${suite}" ${kind} ${kind}_files cu)
  endforeach()
  list(APPEND cuda_core_tests ${core_files})
  list(FILTER test_files EXCLUDE REGEX "/instantiate(_masked)?[.]test[.]cu$")  # weir-kernels has compiled the same
  if(static_files)
    add_library(static-gpu-${suite} OBJECT ${static_files})
    weir_cuda_test_settings(static-gpu-${suite})
  endif()
  if(test_files)
    add_executable(test-gpu-${suite} ${test_files})
    weir_cuda_test_settings(test-gpu-${suite})
    target_link_libraries(test-gpu-${suite} PRIVATE weir-gpu-main weir-kernels $<$<STREQUAL:${suite},nccl>:weir::nccl>)
    add_dependencies(gpu test-gpu-${suite})
    add_test(NAME gpu.${suite} COMMAND test-gpu-${suite})
    set_tests_properties(gpu.${suite} PROPERTIES LABELS gpu TIMEOUT 600 SKIP_RETURN_CODE 77 RESOURCE_LOCK gpu)
  endif()
endforeach()

if(cuda_core_tests)
  add_executable(test-cuda-core ${cuda_core_tests})
  weir_cuda_test_settings(test-cuda-core)
  target_link_libraries(test-cuda-core PRIVATE weir-test-main)
  add_test(NAME cuda-core COMMAND test-cuda-core)
  set_tests_properties(cuda-core PROPERTIES LABELS "suite;cuda" TIMEOUT 300)
endif()

add_test(NAME house.kernels-do-not-spill
         COMMAND "${CMAKE_COMMAND}" -D "BUILD_DIR=${PROJECT_BINARY_DIR}" -P "${PROJECT_SOURCE_DIR}/cmake/CudaResources.cmake")
set_tests_properties(house.kernels-do-not-spill PROPERTIES LABELS "house;cuda" TIMEOUT 300)
