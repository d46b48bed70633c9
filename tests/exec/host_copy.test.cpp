#include "weir/exec/host_copy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <span>
#include <thread>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/tensor/buffer.hpp"

TEST_CASE("to_host waits for what was enqueued before, from_host for the copy") {
  weir::HostExecutor const executor;
  weir::Buffer<float, weir::HostExecutor> const buffer(executor, 3);
  std::vector<float> source = {1.0f, 2.0f, 3.0f};
  weir::from_host(executor, std::span<float const>(source), buffer.view());
  source.assign(3, 0.0f);  // is not read any more
  executor.submit([view = buffer.view()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    view[1] = 7.0f;
  });
  CHECK(weir::to_host(executor, buffer.view()) == std::vector<float>{1.0f, 7.0f, 3.0f});
  weir::TensorView<float const, weir::HostSpace> const constant = buffer.view();
  CHECK(weir::to_host(executor, constant.part(1, 2)) == std::vector<float>{7.0f, 3.0f});
}

TEST_CASE("from_host refuses another size") {
  weir::HostExecutor const executor;
  std::vector<float> target(2);
  std::vector<float> const source(3);
  CHECK_THROWS_AS(weir::from_host(executor, std::span<float const>(source), weir::view(target)),
                  weir::ContractViolation);
}

TEST_CASE("an exception of the stream comes out of to_host") {
  weir::HostExecutor const executor;
  std::vector<float> values(2);
  executor.submit([] { throw 3; });
  CHECK_THROWS_AS(weir::to_host(executor, weir::view(values)), int);
  CHECK(weir::to_host(executor, weir::view(values)) == values);
}
