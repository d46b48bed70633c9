// Masked layers bound to CUDA streams: what they call. What the kernels compute is tested on a GPU, and
// played in tests/cuda/kernels.
#include "weir/cuda/masked_product.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/indexed_layout.hpp"
#include "weir/exec/tiled_layout.hpp"
#include "weir/mask/conv2d.hpp"
#include "weir/mask/linear.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/stream_worker_pool.hpp"

static_assert(weir::MaskingBackend<weir::CudaExecutor, weir::GroupLayout, float>);
static_assert(weir::MaskingBackend<weir::CudaExecutor, weir::CyclicLayout, double>);
static_assert(weir::MaskingBackend<weir::CudaExecutor, weir::IndexedLayout<std::uint16_t>, weir::half>);
static_assert(weir::MaskingBackend<weir::CudaExecutor, weir::TiledLayout<weir::GroupLayout>, weir::bfloat16>);

namespace {

using weir::GradientMode;

/// Memory of the executor that holds numbers.
template <class E>
class Memory {
 public:
  Memory(E const& executor, std::size_t size, float first) : executor_(executor), buffer_(executor, size) {
    std::vector<float> numbers(size);
    for (std::size_t i = 0; i < size; ++i) numbers[i] = first + 0.25f * static_cast<float>(i % 7) - 0.75f;
    weir::from_host(executor_, std::span<float const>(numbers), buffer_.view());
  }
  auto view() const { return buffer_.view(); }
  std::vector<float> content() const { return weir::to_host(executor_, buffer_.view()); }
  auto batch(std::size_t samples, std::size_t features) const {
    return weir::batch_major<typename E::memory_space>(buffer_.data(), samples, features);
  }

 private:
  E executor_;
  weir::Buffer<float, E> buffer_;
};

weir::BIBDLinear<weir::AnyDesign> linear(std::string family) {
  weir::MaskOptions options{.outputs = 21, .inputs = 21};
  options.family = std::move(family);
  if (options.family == "random") options.density = 0.25;
  if (options.family == "projective-plane") options.order = 4;
  return weir::BIBDLinear<weir::AnyDesign>(weir::BIBDMask<weir::AnyDesign>(options),
                                           {.activation = weir::Activation::relu});
}

/// The output and all gradients of two micro-batches; `between` is called after the layer is bound.
template <class E, class Between>
std::vector<std::vector<float>> train(E const& executor, weir::BIBDLinear<weir::AnyDesign> const& layer,
                                      Between const& between) {
  std::size_t const samples = 5;
  auto const bound = layer.on(executor);
  Memory<E> const values(executor, layer.value_count(), 0.5f), bias(executor, 21, 0.1f);
  Memory<E> const x(executor, samples * 21, 0.3f), y(executor, samples * 21, 0);
  Memory<E> const dy(executor, samples * 21, 0.2f), dx(executor, samples * 21, 0);
  Memory<E> const gradient(executor, layer.value_count(), 0), bias_gradient(executor, 21, 0);
  between([&] {
    for (auto const mode : {GradientMode::overwrite, GradientMode::accumulate}) {
      bound.template forward<float>(executor, values.view(), bias.view(), x.batch(samples, 21),
                                    y.batch(samples, 21));
      bound.template backward<float>(executor, values.view(), x.batch(samples, 21), y.batch(samples, 21),
                                     dy.batch(samples, 21), dx.batch(samples, 21), gradient.view(),
                                     bias_gradient.view(), mode);
    }
  });
  executor.synchronize();
  return {y.content(), dy.content(), dx.content(), gradient.content(), bias_gradient.content()};
}

}  // namespace

TEST_CASE("a layer on a CUDA stream computes what the host does, and only enqueues") {
  for (char const* family : {"hadamard-group", "projective-plane", "random"}) {
    CAPTURE(std::string(family));
    auto const layer = linear(family);
    auto const expected = train(weir::HostExecutor(), layer, [](auto const& steps) { steps(); });
    CleanSession session;
    {
      auto const found = train(weir::CudaExecutor(), layer, [&](auto const& steps) {
        auto const before = session.calls();
        auto const held = session.inventory();
        std::size_t const heap = stand_in::heap_allocations();
        steps();
        CHECK(stand_in::heap_allocations() == heap);
        auto calls = stand_in::calls_between(before, session.calls());
        CHECK(calls["cudaLaunchKernel"] == 2 * 5);
        for (char const* allowed : {"cudaLaunchKernel", "cudaGetDevice", "cudaStreamIsCapturing"})
          calls.erase(allowed);
        for (auto const& [function, count] : calls)
          FAIL_CHECK(function << " is called " << count << " times");
        CHECK(session.inventory() == held);
      });
      CHECK(found == expected);
    }
    CHECK(session.default_stream_operations() == 0);
  }
}

TEST_CASE("a convolution on CUDA streams, its groups on a pool's, computes what the host does") {
  weir::BIBDConv2d const layer(
      {.inputs = 8, .outputs = 12, .padding = 1, .groups = 2, .mask = {.density = 0.5}});
  auto const shape = layer.shape(2, 5, 4);
  auto const run = [&](auto const& executor, auto const& runner_on) {
    using E = std::remove_cvref_t<decltype(executor)>;
    auto&& runner = runner_on(executor);
    auto const bound = layer.on(executor);
    Memory<E> const values(executor, layer.value_count(), 0.5f);
    Memory<E> const x(executor, shape.input_pixels() * 8, 0.3f), y(executor, shape.output_pixels() * 12, 0);
    Memory<E> const dy(executor, shape.output_pixels() * 12, 0.2f), dx(executor, shape.input_pixels() * 8, 0);
    Memory<E> const gradient(executor, layer.value_count(), 0);
    bound.template forward<float>(runner, shape, values.view(), {}, x.batch(shape.input_pixels(), 8),
                                  y.batch(shape.output_pixels(), 12));
    bound.template backward<float>(runner, shape, values.view(), x.batch(shape.input_pixels(), 8),
                                   y.batch(shape.output_pixels(), 12), dy.batch(shape.output_pixels(), 12),
                                   dx.batch(shape.input_pixels(), 8), gradient.view(), {},
                                   GradientMode::overwrite);
    executor.synchronize();
    return std::vector{y.content(), dx.content(), gradient.content()};
  };
  auto const on_stream = [](auto const& executor) -> auto const& {
    return executor;
  };
  // Of one worker: the stand-in takes batches as wholes, and groups write side by side.
  auto const on_pool = [](weir::CudaExecutor const& executor) {
    return weir::StreamWorkerPool<weir::CudaExecutor>(
        executor, {.workers = 1, .buckets = weir::BucketPlan::by_bytes({4})});
  };
  auto const expected = run(weir::HostExecutor(), on_stream);
  CleanSession const session;
  CHECK(run(weir::CudaExecutor(), on_stream) == expected);
  CHECK(run(weir::CudaExecutor(), on_pool) == expected);
}
