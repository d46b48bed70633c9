#include "weir/cuda/device_guard.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "support/cuda/clean_session.hpp"

TEST_CASE("a device is current within the scope, and the previous one after it") {
  CleanSession const session({.devices = 3});
  CHECK(weir::current_device() == 0);
  {
    weir::DeviceGuard const outer(2);
    CHECK(weir::current_device() == 2);
    {
      weir::DeviceGuard const inner(1);
      CHECK(weir::current_device() == 1);
    }
    CHECK(weir::current_device() == 2);
  }
  CHECK(weir::current_device() == 0);
}

TEST_CASE("the device that is current already costs one call") {
  CleanSession session({.devices = 2});
  { weir::DeviceGuard const guard(0); }
  CHECK(session.calls() == stand_in::Calls{{"cudaGetDevice", 1}});
}

TEST_CASE("a device that does not exist is an error, and nothing has changed") {
  CleanSession const session({.devices = 2});
  try {
    weir::DeviceGuard const guard(2);
    FAIL("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorInvalidDevice);
  }
  CHECK(weir::current_device() == 0);
}

TEST_CASE("no driver and no device are errors with a name") {
  CleanSession session;
  for (auto const& [driver, code] : {std::pair{stand_in::Driver::missing, cudaErrorInsufficientDriver},
                                     std::pair{stand_in::Driver::without_device, cudaErrorNoDevice}}) {
    session.set_driver(driver);
    try {
      weir::current_device();
      FAIL("nothing was thrown");
    } catch (weir::CudaError const& error) {
      CHECK(error.code() == code);
      CHECK(std::string(error.what()).find(cudaGetErrorName(code)) != std::string::npos);
    }
    CHECK_THROWS_AS(weir::DeviceGuard(0), weir::CudaError);
  }
  session.set_driver(stand_in::Driver::present);
}
