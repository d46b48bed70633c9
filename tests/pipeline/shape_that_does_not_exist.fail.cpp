// expect: failed.*the schedule does not have this shape: refusal<Type>\(shape\) says why
#include <cstdint>

#include "weir/pipeline/schedule/dualpipe.hpp"

#ifdef WEIR_FAIL_CONTROL
constexpr std::uint32_t workers = 4;
#else
constexpr std::uint32_t workers = 3;
#endif
static_assert(weir::table<weir::DualPipe, workers, 8>().properties.micro_batches == 8);
