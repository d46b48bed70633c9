#include "weir/mask/class_labels.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace {

TEST_CASE("check_labels: the first label that is no class is named") {
  std::vector<std::size_t> const labels = {0, 2, 3, 4};
  weir::detail::check_labels("verb", labels, 5);
  weir::detail::check_labels("verb", {}, 0);
  CHECK_THROWS_WITH_AS(weir::detail::check_labels("verb", labels, 3),
                       "verb: label 3 of sample 2, there are 3 classes", weir::ContractViolation);
}

}  // namespace
