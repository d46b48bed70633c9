// The program of tests that need a GPU. Without one it says why and ends with 77, which CTest reports as
// skipped; with WEIR_REQUIRE_GPU set that is a failure.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int skipped = 77;

/// Why no test can run; null if they can.
char const* obstacle() {
  int devices = 0;
  cudaError_t code = cudaGetDeviceCount(&devices);
  if (code == cudaSuccess && devices == 0) return "there is no CUDA device";
  if (code == cudaSuccess) code = cudaFree(nullptr);  // makes the context
  return code == cudaSuccess ? nullptr : cudaGetErrorString(code);
}

}  // namespace

int main(int count, char** arguments) {
  if (char const* const why = obstacle()) {
    std::printf("skipped: %s\n", why);
    return std::getenv("WEIR_REQUIRE_GPU") != nullptr ? EXIT_FAILURE : skipped;
  }
  return doctest::Context(count, arguments).run();
}
