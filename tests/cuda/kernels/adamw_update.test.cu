#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/on_device.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/kernels/adamw_update.cuh"
#include "weir/cuda/vocabulary.hpp"
#include "weir/host/executor.hpp"

namespace {

/// One update on the host and one on the device, of arrays that begin at any element.
template <class Real>
struct Case {
  std::size_t size = 5000;
  std::size_t weights_at = 0, gradient_at = 0, first_at = 0, second_at = 0;
  bool in_place = true;
  weir::AdamConstants constants = {};
  weir::GradientControl control = {};
  std::vector<Real> gradient_begins = {};  // instead of what looks random

  void check() const {
    CAPTURE(size);
    CAPTURE(weights_at);
    CAPTURE(gradient_at);
    oracle::Numbers numbers(32);
    std::size_t const room = size + 8;
    auto weights = numbers.vector<Real>(room), out = numbers.vector<Real>(room),
         first = numbers.vector<Real>(room), second = numbers.vector<Real>(room),
         gradient = numbers.vector<Real>(room);
    for (Real& value : second) value = std::abs(value);
    for (std::size_t i = 0; i < gradient_begins.size(); ++i) gradient[i] = gradient_begins[i];
    weir::OptimizerState const state{
        .learning_rate = 0.1, .step = 2, .beta1_power = 0.81, .beta2_power = 0.998001};
    weir::CudaExecutor const device;
    OnDevice const weights_there(device, weights), out_there(device, out), first_there(device, first),
        second_there(device, second), gradient_there(device, gradient);
    OnDevice const state_there(device, std::vector{state});
    OnDevice const control_there(device, std::vector{control});

    auto const update = [&](auto const& executor, auto w, auto o, auto g, auto m, auto v, auto const* s,
                            auto const* c) {
      auto const from = w.part(weights_at, size), to = in_place ? from : o.part(weights_at, size);
      adamw_update(executor, from, to, g.part(gradient_at, size), m.part(first_at, size),
                   v.part(second_at, size), constants, s, {0.5, c});
      executor.synchronize();
    };
    update(weir::HostExecutor(), weir::view(weights), weir::view(out), weir::view(gradient),
           weir::view(first), weir::view(second), &state, &control);
    update(device, weights_there.view(), out_there.view(), gradient_there.view(), first_there.view(),
           second_there.view(), state_there.view().data(), control_there.view().data());
    CHECK(oracle::same(weights_there.content(), weights));
    CHECK(oracle::same(out_there.content(), out));
    CHECK(oracle::same(first_there.content(), first));
    CHECK(oracle::same(second_there.content(), second));
  }
};

template <class Real>
void check_all() {
  for (double weight_decay : {0.0, 0.01}) {
    weir::AdamConstants const constants{.weight_decay = weight_decay};
    for (std::size_t size : {0u, 1u, 3u, 16u, 2047u, 2049u, 30'001u}) {
      Case<Real>{.size = size, .constants = constants}.check();
      Case<Real>{.size = size, .in_place = false, .constants = constants}.check();
    }
    for (std::size_t at : {1u, 2u, 3u, 4u}) {
      Case<Real>{.weights_at = at, .gradient_at = at, .first_at = at, .second_at = at, .constants = constants}
          .check();
      Case<Real>{.weights_at = at, .constants = constants}.check();
      Case<Real>{.gradient_at = at, .second_at = 1, .constants = constants}.check();
    }
  }
}

}  // namespace

TEST_CASE("the device has the bits of the host, whatever sizes, alignments and constants") {
  check_all<float>();
  check_all<double>();
}

TEST_CASE("numbers at the ends of the range have the bits of the host: subnormal, huge, infinite, NaN") {
  using Limits = std::numeric_limits<float>;
  Case<float>{.size = 10,
              .constants = {.epsilon = 0},
              .gradient_begins = {0.0f, -0.0f, Limits::denorm_min(), 1e-42f, Limits::min(), 1e-30f, 1e30f,
                                  Limits::max(), Limits::infinity(), Limits::quiet_NaN()}}
      .check();
}

TEST_CASE("a step is skipped or scaled as the control says that lies in device memory") {
  for (bool in_place : {false, true}) {
    Case<float>{.in_place = in_place, .control = {.skip = 1}}.check();
    Case<float>{.in_place = in_place, .control = {.factor = 0.125}}.check();
  }
}

TEST_CASE("a vector as long as a large model has the bits of the host") {
  Case<float>{.size = case_size(20'000'003, 50'003)}.check();
}

TEST_CASE("arguments are checked at the call") {
  weir::CudaExecutor const device;
  OnDevice const memory(device, std::vector<float>(40));
  OnDevice const state(device, std::vector<weir::OptimizerState>(1));
  auto const part = [&](std::size_t at) { return memory.view().part(at, 10); };
  CHECK_THROWS_AS(
      adamw_update(device, part(0), part(0), part(10), part(20), part(21), {}, state.view().data(), {}),
      weir::ContractViolation);
  CHECK_THROWS_AS(adamw_update(device, part(0), part(0), part(10), part(20), part(30), {}, nullptr, {}),
                  weir::ContractViolation);
}
