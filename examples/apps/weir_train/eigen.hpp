#pragma once

// Products take their scratch memory from the stack, so that a training step does not allocate.
#define EIGEN_STACK_ALLOCATION_LIMIT (1 << 20)

// g++ 12 takes the undefined operands in its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
