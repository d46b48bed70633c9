#include <vector>
#include <weir/weir.hpp>

int main() {
  std::vector<float> weights(3);
  auto const borrowed = weir::view(weights);
  return borrowed.data() == weights.data() && borrowed.size() == weights.size() ? 0 : 1;
}
