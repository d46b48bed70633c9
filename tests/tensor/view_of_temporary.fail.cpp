// expect: (satisfaction of|because) 'OutlivesView<|satisfy 'OutlivesView'
#include <vector>

#include "weir/tensor/view.hpp"

std::vector<float> make();

float first() {
#ifdef WEIR_FAIL_CONTROL
  auto const values = make();
  return weir::view(values)[0];
#else
  auto const values = weir::view(make());
  return values[0];
#endif
}
