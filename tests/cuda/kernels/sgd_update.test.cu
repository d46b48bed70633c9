#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/on_device.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/kernels/sgd_update.cuh"
#include "weir/cuda/vocabulary.hpp"
#include "weir/host/executor.hpp"

namespace {

/// One update on the host and one on the device, of arrays that begin at any element.
template <class Real>
struct Case {
  std::size_t size = 5000;
  std::size_t weights_at = 0, out_at = 0, gradient_at = 0, velocity_at = 0;
  bool in_place = true;
  weir::SgdConstants constants = {};
  weir::GradientControl control = {};

  void check() const {
    CAPTURE(size);
    CAPTURE(weights_at);
    CAPTURE(gradient_at);
    oracle::Numbers numbers(31);
    std::size_t const room = size + 8;
    auto weights = numbers.vector<Real>(room), out = numbers.vector<Real>(room),
         velocity = numbers.vector<Real>(room);
    auto const gradient = numbers.vector<Real>(room);
    weir::OptimizerState const state{.learning_rate = 0.1};
    weir::CudaExecutor const device;
    OnDevice const weights_there(device, weights), out_there(device, out), velocity_there(device, velocity),
        gradient_there(device, gradient);
    OnDevice const state_there(device, std::vector{state});
    OnDevice const control_there(device, std::vector{control});

    auto const update = [&](auto const& executor, auto w, auto o, auto g, auto v, auto const* s,
                            auto const* c) {
      auto const from = w.part(weights_at, size), to = in_place ? from : o.part(out_at, size);
      bool const has_velocity = constants.momentum != 0;
      sgd_update(executor, from, to, g.part(gradient_at, size),
                 has_velocity ? v.part(velocity_at, size) : v.part(0, 0), constants, s, {0.5, c});
      executor.synchronize();
    };
    auto gradient_here = gradient;
    update(weir::HostExecutor(), weir::view(weights), weir::view(out), weir::view(gradient_here),
           weir::view(velocity), &state, &control);
    update(device, weights_there.view(), out_there.view(), gradient_there.view(), velocity_there.view(),
           state_there.view().data(), control_there.view().data());
    CHECK(oracle::same(weights_there.content(), weights));
    CHECK(oracle::same(out_there.content(), out));
    CHECK(oracle::same(velocity_there.content(), velocity));
    CHECK(oracle::same(gradient_there.content(), gradient));
  }
};

template <class Real>
void check_all() {
  weir::SgdConstants const all[] = {{},
                                    {.weight_decay = 0.01},
                                    {.momentum = 0.9},
                                    {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true}};
  for (auto const& constants : all) {
    for (std::size_t size : {0u, 1u, 3u, 16u, 2047u, 2049u, 30'001u}) {
      Case<Real>{.size = size, .constants = constants}.check();
      Case<Real>{.size = size, .out_at = 3, .in_place = false, .constants = constants}.check();
    }
    for (std::size_t at : {1u, 2u, 3u, 4u}) {
      Case<Real>{.weights_at = at, .gradient_at = at, .velocity_at = at, .constants = constants}.check();
      Case<Real>{.weights_at = at, .constants = constants}.check();
      Case<Real>{.gradient_at = at, .velocity_at = 1, .constants = constants}.check();
    }
  }
}

}  // namespace

TEST_CASE("the device has the bits of the host, whatever sizes, alignments and constants") {
  check_all<float>();
  check_all<double>();
}

TEST_CASE("a step is skipped or scaled as the control says that lies in device memory") {
  weir::SgdConstants const constants{.momentum = 0.9};
  for (bool in_place : {false, true}) {
    Case<float>{.in_place = in_place, .constants = constants, .control = {.skip = 1}}.check();
    Case<float>{.in_place = in_place, .constants = constants, .control = {.factor = 0.125}}.check();
  }
}

TEST_CASE("a vector as long as a large model has the bits of the host") {
  Case<float>{.size = case_size(20'000'003, 50'003), .constants = {.momentum = 0.9}}.check();
}

TEST_CASE("arguments are checked at the call") {
  weir::CudaExecutor const device;
  OnDevice const memory(device, std::vector<float>(30));
  OnDevice const state(device, std::vector<weir::OptimizerState>(1));
  auto const weights = memory.view().part(0, 10);
  CHECK_THROWS_AS(
      sgd_update(device, weights, weights, memory.view().part(10, 9), {}, {}, state.view().data(), {}),
      weir::ContractViolation);
  CHECK_THROWS_AS(sgd_update(device, weights, weights, weights, {}, {}, state.view().data(), {}),
                  weir::ContractViolation);
}
