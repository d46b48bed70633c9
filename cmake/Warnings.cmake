# The warnings that everything in this repository is held to; users of weir::weir do not get them.
# Under sanitizers g++ 12 warns about code that it made itself, so there they are off.
add_library(weir-warnings INTERFACE)
if(WEIR_WARNINGS AND NOT WEIR_SANITIZE)
  target_compile_options(weir-warnings INTERFACE
                         $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror>
                         # Not -Wpedantic: what nvcc hands to the host compiler is not ISO C++.
                         "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings -Xcompiler=-Wall,-Wextra,-Wconversion,-Wshadow,-Werror>")
  # With -march=native g++ 12 takes the undefined operands in its own intrinsics, which Eigen uses, for mistakes.
  target_compile_options(weir-warnings INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${WEIR_NATIVE}>>:-Wno-maybe-uninitialized>)
  # And text + std::string for a copy that overlaps, where it optimises much (GCC bug 105651).
  target_compile_options(weir-warnings INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<COMPILE_LANGUAGE:CXX>>:-Wno-restrict>)
endif()
