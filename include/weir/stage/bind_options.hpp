#pragma once

#include <cstddef>

namespace weir::inline v1 {

class SpanSink;

struct BindOptions {
  SpanSink* spans = nullptr;  // outlives the bound recipe; gets what ran when
  std::size_t rank = 0;       // under which it is reported there
};

}  // namespace weir::inline v1
