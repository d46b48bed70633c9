#include "typed_bucket.hpp"

namespace weir_sparsify {

std::unique_ptr<Bucket> make_double_bucket(weir::ThreadTeam& team, Options const& options,
                                           Gradient const& example) {
  return make_typed_bucket<double>(team, options, example.size);
}

}  // namespace weir_sparsify
