#include "weir/pipeline/stage_bytes.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

constexpr std::uint32_t p = 4;
constexpr std::uint32_t m = 8;
constexpr std::uint64_t w = 1000;
constexpr std::uint64_t a = 10;
constexpr std::uint64_t x = 3;

/// With so many stages per worker, which share w and a; x is of one stage.
template <std::size_t chunks>
constexpr std::uint64_t bytes(TableView const& table, std::uint32_t worker,
                              Recompute recompute = Recompute::never) {
  StageBytes stages[p * chunks];
  for (StageBytes& stage : stages) stage = {.weights = w / chunks, .activation = a / chunks, .input = x};
  return peak_bytes(table, stages, recompute)[worker];
}

constexpr auto gpipe = table<GPipe, p, m>();
static_assert(bytes<1>(gpipe, 1) == w + m * a);
static_assert(bytes<1>(gpipe, 1, Recompute::always) == w + m * x + a);
static_assert(bytes<1>(gpipe, 3, Recompute::except_last) == w + m * a);
constexpr auto one_f_one_b = table<OneFOneB, p, m>();
static_assert(bytes<1>(one_f_one_b, 1) == w + (p - 1) * a);
constexpr auto pipedream = table<PipeDream, p, m>();
static_assert(bytes<1>(pipedream, 1) == (p - 1) * w + (p - 1) * a);
constexpr auto wpipe = table<WPipe, p, m>();
static_assert(bytes<2>(wpipe, 1) == w + w / 2 + (p + p - 1) * a / 2);
static_assert(bytes<2>(wpipe, 1, Recompute::always) == w + w / 2 + (p + p - 1) * x + a / 2);

}  // namespace

static_assert(!weir::detail::recomputes(weir::Recompute::never, 0, 2));
static_assert(weir::detail::recomputes(weir::Recompute::always, 1, 2));
static_assert(weir::detail::recomputes(weir::Recompute::except_last, 0, 2));
static_assert(!weir::detail::recomputes(weir::Recompute::except_last, 1, 2));
