#include "bucket.hpp"

namespace weir_sparsify {

std::unique_ptr<Bucket> make_bucket(weir::ThreadTeam& team, Options const& options, Gradient const& example) {
#if WEIR_SPARSIFY_WITH_CUDA
  if (options.on_gpu) return make_gpu_bucket(options, example);
#endif
  bool const is_wide = example.type == weir::ElementType::float64;
  return is_wide ? make_double_bucket(team, options, example) : make_float_bucket(team, options, example);
}

}  // namespace weir_sparsify
