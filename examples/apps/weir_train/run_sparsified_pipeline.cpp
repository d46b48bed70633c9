#include "pipeline_threads.hpp"
#include "run_pipeline.hpp"
#include "sparsified_gradients.hpp"

namespace weir_train {

Outcome train_sparsified_pipelines(Run const& run) {
  return train_pipelines_on_threads<SparsifiedGradients>(run);
}

}  // namespace weir_train
