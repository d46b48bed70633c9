# The warnings that everything in this repository is held to; users of weir::weir do not get them.
# Under sanitizers g++ 12 warns about code that it made itself, so there they are off.
add_library(weir-warnings INTERFACE)
if(NOT WEIR_SANITIZE)
  target_compile_options(weir-warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)
endif()
