#include "weir/stage/step_failure.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

std::exception_ptr error(std::string const& text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

std::string text_of(std::exception_ptr const& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (std::runtime_error const& found) {
    return found.what();
  }
}

}  // namespace

TEST_CASE("The failure of the lowest worker is kept, before that of a stage, and handed out once") {
  weir::StepFailure failure;
  CHECK_FALSE(failure.present());
  CHECK(failure.take() == nullptr);
  CHECK(failure.keep(weir::StepFailure::in_a_stage, error("stage")));
  CHECK_FALSE(failure.keep(3, error("worker 3")));
  CHECK_FALSE(failure.keep(1, error("worker 1")));
  CHECK_FALSE(failure.keep(2, error("worker 2")));
  CHECK(failure.present());
  CHECK(text_of(failure.take()) == "worker 1");
  CHECK_FALSE(failure.present());
  CHECK(failure.take() == nullptr);
  CHECK(failure.keep(7, error("worker 7")));
}

TEST_CASE("Of many that fail at once exactly one is told that it is the first") {
  weir::StepFailure failure;
  std::atomic<int> firsts = 0;
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < 8; ++worker) {
    threads.emplace_back(
        [&, worker] { firsts += failure.keep(worker, error(std::to_string(worker))) ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  CHECK(firsts == 1);
  CHECK(text_of(failure.take()) == "0");
}
