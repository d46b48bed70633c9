#include "weir/pipeline/weight_versions.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/pipedream_2bw.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

constexpr bool has(TableView const& table, std::uint32_t stage, StageVersions const& expected) {
  return weight_versions(table)[stage] == expected;
}
constexpr auto pipedream = table<PipeDream, 4, 8>();
static_assert(has(pipedream, 0, {.delay = 3, .live = 4, .updates = 8}));
static_assert(has(pipedream, 3, {.delay = 0, .live = 1, .updates = 8}));
constexpr auto two = table<PipeDream2BW, 4, 8>();
static_assert(has(two, 0, {.delay = 1, .live = 2, .updates = 2}) &&
              has(two, 3, {.delay = 1, .live = 2, .updates = 2}));
constexpr auto wpipe = table<WPipe, 4, 8>();
static_assert(has(wpipe, 0, {.delay = 1, .live = 2, .updates = 2}));
static_assert(has(wpipe, 4, {.delay = 0, .live = 1, .updates = 2}));
static_assert(has(table<WPipe, 4, 4>(), 0, {.delay = 0, .live = 1, .updates = 1}));  // one period
static_assert(has(table<GPipe, 4, 4>(), 2, {.delay = 0, .live = 1, .updates = 1}));

}  // namespace
