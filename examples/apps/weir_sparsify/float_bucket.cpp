#include "typed_bucket.hpp"

namespace weir_sparsify {

std::unique_ptr<Bucket> make_float_bucket(weir::ThreadTeam& team, Options const& options,
                                          Gradient const& example) {
  if (example.type == weir::ElementType::float16)
    return make_typed_bucket<weir::half>(team, options, example.size);
  if (example.type == weir::ElementType::bfloat16)
    return make_typed_bucket<weir::bfloat16>(team, options, example.size);
  return make_typed_bucket<float>(team, options, example.size);
}

}  // namespace weir_sparsify
