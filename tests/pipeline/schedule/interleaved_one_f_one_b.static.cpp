#include "weir/pipeline/schedule/interleaved_one_f_one_b.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<InterleavedOneFOneB>);

constexpr auto three = table<InterleavedOneFOneB, 2, 3>();
static_assert(is_row(three, 0, "0F0 0F1 0F2 2F0 2F1 2F2 2B0 2B1 2B2 0B0 0B1 0B2"));
static_assert(is_row(three, 1, "1F0 1F1 1F2 3F0 3B0 3F1 3B1 3F2 3B2 1B0 1B1 1B2"));
static_assert(validate(table<InterleavedOneFOneB, 4, 5, 3>()));

// Groups of a fixed size can deadlock.
constexpr ScheduleShape fixed{.workers = 4, .micro_batches = 5, .chunks = 3, .group = 4};
static_assert(validate(table<InterleavedOneFOneB, fixed>()).count(ViolationCode::deadlock) == 1);
// The warm-up is that of a whole group, even if there are fewer micro-batches than that.
constexpr ScheduleShape longer{.workers = 3, .micro_batches = 11, .chunks = 2, .group = 12};
static_assert(peak_activations(table<InterleavedOneFOneB, longer>()) ==
              std::vector<std::uint32_t>{17, 15, 13});
static_assert(refusal<InterleavedOneFOneB>({.workers = 2, .micro_batches = 2, .warmup_factor = 3}).nearest ==
              2);

}  // namespace
