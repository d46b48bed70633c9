// expect: failed.*this model is a temporary, which is gone before the workers call it: give it a name
#include <span>

#include "weir/host/executor.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"

struct Model {
  void forward(auto&) const {}
  void backward(auto&) const {}
};

void describe(weir::InterleavedPipeline<weir::HostExecutor>& pipe, std::span<int const> batch) {
#ifdef WEIR_FAIL_CONTROL
  Model const model;
  (void)pipe(batch, model);
#else
  (void)pipe(batch, Model{});
#endif
}
