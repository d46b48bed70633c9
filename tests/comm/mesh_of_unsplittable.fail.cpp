// expect: (satisfaction of|because) 'SplittingCommunicator<|satisfy 'SplittingCommunicator'
#include <cstddef>

#include "weir/comm/mesh.hpp"

struct Undivided {
  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
  void abort() const noexcept {}
#ifdef WEIR_FAIL_CONTROL
  Undivided split(std::size_t, std::size_t) const {
    return {};
  }
#endif
};

auto make() {
  return weir::Mesh<Undivided>(Undivided{}, {{"data", 1}});
}
