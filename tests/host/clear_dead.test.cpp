#include "weir/host/clear_dead.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/mask/design/group.hpp"

namespace {

TEST_CASE("only live elements of a dense matrix are kept") {
  for (std::size_t threads : {1u, 2u}) {
    weir::HostExecutor const exec({.threads = threads});
    weir::GroupDesign const design{{.outputs = 30, .inputs = 5003, .group = 8}};
    std::vector<float> matrix(30 * 5003);
    for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i + 1);
    clear_dead(exec, design.layout(), weir::view(matrix));
    exec.synchronize();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < matrix.size(); ++i) {
      float const wanted = design.contains(i / 5003, i % 5003) ? static_cast<float>(i + 1) : 0.0f;
      wrong += matrix[i] != wanted ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a matrix of another size is refused") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 8, .inputs = 8, .group = 4}};
  std::vector<float> matrix(63);
  CHECK_THROWS_AS(clear_dead(exec, design.layout(), weir::view(matrix)), weir::ContractViolation);
}

}  // namespace
