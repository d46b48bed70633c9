// expect: (satisfaction of|because) 'HasMemorySpace<|satisfy 'HasMemorySpace'
#include <cstddef>

#include "weir/tensor/view.hpp"

struct Matrix {
  float* data() { return values; }
  std::size_t size() const { return 4; }
  float values[4];
};

#ifdef WEIR_FAIL_CONTROL
template <>
struct weir::memory_space_of<Matrix> {
  using type = weir::HostSpace;
};
#endif

auto look(Matrix& matrix) {
  return weir::view(matrix);
}
