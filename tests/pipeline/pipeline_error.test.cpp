#include "weir/pipeline/pipeline_error.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>

TEST_CASE("an error tells worker, operation and cause") {
  weir::Operation const operation{weir::OperationKind::backward, weir::Direction::reverse, 2, 3};
  weir::PipelineError const error(1, operation, std::make_exception_ptr(std::runtime_error("no more")));
  CHECK(std::string(error.what()) == "worker 1, 2B3r: no more");
  CHECK(error.worker() == 1);
  CHECK(error.operation() == operation);
  CHECK_THROWS_AS(std::rethrow_exception(error.cause()), std::runtime_error);
  weir::PipelineError const odd(0, {}, std::make_exception_ptr(7));
  CHECK(std::string(odd.what()) == "worker 0, 0F0: an exception that is not a std::exception");
}
