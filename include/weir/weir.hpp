#pragma once

// Everything that needs a C++20 compiler and nothing else. The interface to MPI, to CUDA and to other libraries is
// included by itself.

