// What the verbs of CudaExecutor are on the host side: declared for every element, transfers, and errors at
// the call. What the kernels compute is tested on a GPU.
#include "weir/cuda/vocabulary.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/tensor/buffer.hpp"

template <class Element, class Real>
constexpr bool has_verbs = weir::SummingBackend<weir::CudaExecutor, Element, Real>&&
    weir::MeasuringBackend<weir::CudaExecutor, Element>&& weir::UpdatingBackend<weir::CudaExecutor, Real>&&
        weir::ConditionalBackend<weir::CudaExecutor, Real>;
static_assert(has_verbs<float, float> && has_verbs<double, double> && has_verbs<float, double>);
static_assert(has_verbs<weir::half, float> && has_verbs<weir::bfloat16, float>);
static_assert(weir::MultiTensorBackend<weir::CudaExecutor, float, weir::bfloat16> &&
              weir::MultiTensorBackend<weir::CudaExecutor, double>);
static_assert(!weir::SummingBackend<weir::CudaExecutor, double, float>);

namespace {

template <class Element>
using Memory = weir::Buffer<Element, weir::CudaExecutor>;

template <class Function>
std::string refusal(Function const& f) {
  try {
    f();
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("bytes go to the device and back, in stream order, from any memory of the host") {
  CleanSession session;
  weir::CudaExecutor const executor;
  Memory<int> const device(executor, 5);
  std::vector<int> const values{1, 2, 3, 4, 5};
  weir::from_host(executor, std::span<int const>(values), device.view());
  CHECK(weir::to_host(executor, device.view().part(1, 3)) == std::vector<int>{2, 3, 4});
  CHECK(session.pageable_copies() == 2);
  CHECK(session.default_stream_operations() == 0);
}

TEST_CASE("copies of nothing call nothing") {
  CleanSession session;
  weir::CudaExecutor const executor;
  auto const before = session.calls();
  copy_to_host(executor, nullptr, nullptr, 0);
  copy_from_host(executor, nullptr, nullptr, 0);
  CHECK(stand_in::calls_between(before, session.calls()).empty());
}

TEST_CASE("a copy whose ends are not what they are said to be is a CudaError") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  Memory<float> const device(executor, 4);
  std::vector<float> host(4);
  for (auto const &f : {+[](weir::CudaExecutor const&e, float*on_host, float*on_device) {
                          copy_to_host(e, on_host, on_device, 16);
                        },
                        +[](weir::CudaExecutor const&e, float*on_host, float*on_device) {
                          copy_from_host(e, on_device, on_host, 16);
                        }}) {
    try {
      f(executor, host.data(), device.data());
      FAIL("nothing was thrown");
    } catch (weir::CudaError const& error) {
      CHECK(error.code() == cudaErrorInvalidValue);
      CHECK(std::string(error.what()).find("cudaMemcpyAsync: ") == 0);
    }
  }
}

TEST_CASE("under capture copies from and to the host are refused by name, and the capture goes on") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  Memory<float> const device(executor, 4);
  weir::Buffer<float, weir::PinnedMemory> const host(weir::PinnedMemory{}, 4);
  auto const graph = weir::CudaGraph::capture(executor, [&] {
    CHECK(refusal([&] {
            copy_to_host(executor, device.data(), host.data(), 16);
          }).find("copy_to_host cannot be captured") == 0);
    CHECK(refusal([&] {
            copy_from_host(executor, host.data(), device.data(), 16);
          }).find("copy_from_host cannot be captured") == 0);
    set_zero(executor, device.view());
  });
  graph.replay();
  CHECK(weir::to_host(executor, device.view()) == std::vector<float>(4));
}

TEST_CASE("copies work while another device is current") {
  CleanSession const session({.devices = 2});
  weir::CudaExecutor const executor({.device = 1});
  Memory<double> const device(executor, 2);
  std::vector<double> const values{0.5, 0.25};
  weir::from_host(executor, std::span<double const>(values), device.view());
  CHECK(weir::to_host(executor, device.view()) == values);
  CHECK(weir::current_device() == 0);
}

TEST_CASE("a mistake in the arguments of a copy to the host is told before anything is enqueued") {
  CleanSession session;
  weir::CudaExecutor const executor;
  Memory<float> const device(executor, 4);
  std::vector<float> const three(3);
  auto const before = session.calls();
  CHECK(refusal([&] { weir::from_host(executor, std::span<float const>(three), device.view()); }) ==
        "from_host: the sizes differ");
  CHECK(stand_in::calls_between(before, session.calls()).empty());
}
