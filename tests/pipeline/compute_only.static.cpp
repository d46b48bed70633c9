#include "weir/pipeline/compute_only.hpp"

#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/place_communication.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using namespace weir;

constexpr auto plain = table<OneFOneB, 3, 4>();
static_assert(compute_only(place_communication(plain)).view() == plain.view());
static_assert(compute_only(insert_recompute(plain, Recompute::always)).view() == plain.view());

}  // namespace
