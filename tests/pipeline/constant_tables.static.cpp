#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/validate.hpp"

// Tables of 8 workers and 32 micro-batches are made and checked by the compiler.

namespace {

using namespace weir;

static_assert(validate(table<Sequential, 8, 32>()));
static_assert(validate(table<GPipe, 8, 32>()));
static_assert(validate(table<OneFOneB, 8, 32>()));
static_assert(validate(table<PipeDream, 8, 32>()));
static_assert(validate(table<PipeDream2BW, 8, 32>()));
static_assert(validate(table<InterleavedOneFOneB, 8, 32>()));
static_assert(validate(table<LoopedBfs, 8, 32>()));
static_assert(validate(table<Chimera, 8, 32>()));
static_assert(validate(table<ZbH1, 8, 32>()));
static_assert(validate(table<ZbH2, 8, 32>()));
static_assert(validate(table<ZbV, 8, 32>()));
static_assert(validate(table<DualPipe, 8, 32>()));
static_assert(validate(table<DualPipeV, 8, 32>()));
static_assert(validate(table<WPipe, 8, 32>()));

}  // namespace
