# Finds NCCL where a distribution, a CUDA tree or a Python wheel has put it: set NCCL_ROOT to the folder that has
# include/ and lib/, or to the site-packages that a wheel was installed in. The target is NCCL::NCCL.
set(_nccl_places "")
foreach(_nccl_root IN ITEMS "${NCCL_ROOT}" "$ENV{NCCL_ROOT}" "$ENV{NCCL_HOME}")
  if(_nccl_root)
    list(APPEND _nccl_places "${_nccl_root}" "${_nccl_root}/nvidia/nccl")
  endif()
endforeach()
# What was named comes before what CMake would find.
find_path(NCCL_INCLUDE_DIR nccl.h PATHS ${_nccl_places} PATH_SUFFIXES include NO_DEFAULT_PATH)
foreach(_nccl_dir IN LISTS CUDAToolkit_INCLUDE_DIRS)
  cmake_path(GET _nccl_dir PARENT_PATH _nccl_root)
  list(APPEND _nccl_places "${_nccl_root}")
endforeach()

find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${_nccl_places} PATH_SUFFIXES include)
# First the library beside that header, or two versions might be found one half each. A wheel has no libnccl.so.
cmake_path(GET NCCL_INCLUDE_DIR PARENT_PATH _nccl_root)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR PATHS "${_nccl_root}" PATH_SUFFIXES lib lib64
             NO_DEFAULT_PATH)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR HINTS ${_nccl_places} PATH_SUFFIXES lib lib64)
mark_as_advanced(NCCL_INCLUDE_DIR NCCL_LIBRARY)

set(NCCL_VERSION "")
if(NCCL_INCLUDE_DIR)
  file(STRINGS "${NCCL_INCLUDE_DIR}/nccl.h" _nccl_lines REGEX "^#define NCCL_(MAJOR|MINOR|PATCH) [0-9]+")
  foreach(_nccl_part IN ITEMS MAJOR MINOR PATCH)
    string(REGEX MATCH "NCCL_${_nccl_part} ([0-9]+)" _nccl_line "${_nccl_lines}")
    list(APPEND NCCL_VERSION "${CMAKE_MATCH_1}")
  endforeach()
  list(JOIN NCCL_VERSION "." NCCL_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR VERSION_VAR NCCL_VERSION)
if(NCCL_FOUND AND NOT TARGET NCCL::NCCL)
  add_library(NCCL::NCCL UNKNOWN IMPORTED)
  set_target_properties(NCCL::NCCL PROPERTIES IMPORTED_LOCATION "${NCCL_LIBRARY}"
                                              INTERFACE_INCLUDE_DIRECTORIES "${NCCL_INCLUDE_DIR}")
endif()
