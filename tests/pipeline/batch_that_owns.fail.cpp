// expect: failed.*a batch is a view that is copied to each worker: trivially copyable, of at most 32 bytes
#include <span>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"

struct Model {
  void forward(auto&) const {}
  void backward(auto&) const {}
};

/// A piece of samples, with memory of its own.
struct Samples : std::vector<int> {
  std::span<int const> subspan(std::size_t begin, std::size_t count) const {
    return std::span<int const>(*this).subspan(begin, count);
  }
};

void describe(weir::InterleavedPipeline<weir::HostExecutor>& pipe, Samples const& samples,
              Model const& model) {
#ifdef WEIR_FAIL_CONTROL
  (void)pipe(std::span<int const>(samples), model);
#else
  (void)pipe(samples, model);
#endif
}
