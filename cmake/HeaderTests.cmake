# Every public header compiles alone, and twice in one unit; two units that include them all link.
set(include_dir "${PROJECT_SOURCE_DIR}/include")
set(generated_dir "${CMAKE_CURRENT_BINARY_DIR}/headers")
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${include_dir}/weir" "${include_dir}/weir/*.hpp")

set(units "")
set(everything "")
foreach(header IN LISTS headers)
  weir_is_present("${header}" present)
  if(NOT present)
    message(STATUS "weir/${header} is not tested: its dependency is not here")
    continue()
  endif()
  set(include_line "#include \"weir/${header}\"\n")
  set(unit "${generated_dir}/${header}.cpp")
  file(CONFIGURE OUTPUT "${unit}" CONTENT "${include_line}${include_line}" @ONLY)
  list(APPEND units "${unit}")
  string(APPEND everything "${include_line}")
endforeach()

foreach(unit IN ITEMS one two)
  file(CONFIGURE OUTPUT "${generated_dir}/unit_${unit}.cpp" CONTENT "${everything}int ${unit}() { return 0; }\n" @ONLY)
endforeach()
file(CONFIGURE OUTPUT "${generated_dir}/main.cpp" @ONLY
     CONTENT "int one();\nint two();\nint main() { return one() + two(); }\n")

add_library(weir-header-units OBJECT ${units})
add_executable(weir-two-units "${generated_dir}/main.cpp" "${generated_dir}/unit_one.cpp"
                              "${generated_dir}/unit_two.cpp")
foreach(target IN ITEMS weir-header-units weir-two-units)
  target_link_libraries(${target} PRIVATE weir::weir $<TARGET_NAME_IF_EXISTS:weir::mpi>
                                          $<TARGET_NAME_IF_EXISTS:Eigen3::Eigen> weir-warnings)
  target_compile_options(${target} PRIVATE -O0)
endforeach()

add_test(NAME house.headers-compile-alone
         COMMAND "${CMAKE_COMMAND}" --build "${CMAKE_BINARY_DIR}" --target weir-header-units --parallel 2)
add_test(NAME house.two-units-link COMMAND weir-two-units)
set_tests_properties(house.headers-compile-alone house.two-units-link PROPERTIES LABELS house TIMEOUT 600)
