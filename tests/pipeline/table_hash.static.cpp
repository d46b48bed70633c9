#include "weir/pipeline/table_hash.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

template <class Schedule>
constexpr std::uint64_t hash_of(std::uint32_t micro_batches) {
  return weir::table_hash(weir::make_table<Schedule>({.workers = 2, .micro_batches = micro_batches}).view());
}

static_assert(hash_of<weir::GPipe>(3) == hash_of<weir::GPipe>(3));
static_assert(hash_of<weir::GPipe>(3) != hash_of<weir::GPipe>(4));
static_assert(hash_of<weir::GPipe>(3) != hash_of<weir::OneFOneB>(3));  // the same cells in another order

}  // namespace
