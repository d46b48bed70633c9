#if WEIR_SPARSIFY_WITH_CUDA
#include "gpu_bucket.hpp"

#include <memory>
#include <string>

#include "device_estimator.hpp"
#include "weir_train/count_gpus.hpp"
#include "weir_train/errors.hpp"

namespace weir_sparsify {
namespace {

template <class Element>
std::unique_ptr<Bucket> make(Options const& options, std::size_t size) {
  using Policies = DevicePolicies<std::conditional_t<std::is_same_v<Element, double>, double, float>>;
  Policies::with(options.estimator, [](auto const&) {});  // an error before the first step
  return std::make_unique<GpuBucket<Element, Policies>>(options, size);
}

}  // namespace

std::unique_ptr<Bucket> make_gpu_bucket(Options const& options, Gradient const& example) {
  weir_train::count_gpus();
  constexpr std::size_t most = (std::size_t{1} << 31) - 1;
  if (example.size > most)
    throw weir_train::RunError(example.path + ": it has " + std::to_string(example.size) +
                               " elements; with --device cuda at most " + std::to_string(most) +
                               " would be right");
  switch (example.type) {
    case weir::ElementType::float16:
      return make<weir::half>(options, example.size);
    case weir::ElementType::bfloat16:
      return make<weir::bfloat16>(options, example.size);
    case weir::ElementType::float32:
      return make<float>(options, example.size);
    case weir::ElementType::float64:
      break;
  }
  return make<double>(options, example.size);
}

}  // namespace weir_sparsify
#endif
