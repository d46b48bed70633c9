#include "weir/pipeline/cell_text.hpp"

#include <doctest/doctest.h>

using namespace weir;

TEST_CASE("an operation is written as stage, kind, micro-batch and direction") {
  CHECK(cell_text({OperationKind::forward, Direction::forward, 2, 3}) == "2F3");
  CHECK(cell_text({OperationKind::pair, Direction::forward, 2, 3}) == "2F3");
  CHECK(cell_text({OperationKind::backward_input, Direction::reverse, 12, 34}) == "12I34r");
  CHECK(cell_text({OperationKind::receive_backward, Direction::forward, 0, 1}) == "0RECV_B1");
}
