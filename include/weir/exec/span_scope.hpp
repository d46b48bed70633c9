#pragma once

#include "weir/exec/span_sink.hpp"

namespace weir::inline v1 {

/// Reports the work that is done while it lives. Without a sink it does nothing, and reads no clock.
class SpanScope {
 public:
  SpanScope(SpanSink* sink, Span const& span) noexcept : sink_(sink), span_(span) {
    if (sink_ == nullptr) return;
    sink_->begin(span_);
    span_.begin = now();
  }

  SpanScope(SpanScope const&) = delete;
  SpanScope& operator=(SpanScope const&) = delete;

  ~SpanScope() {
    if (sink_ == nullptr) return;
    span_.end = now();
    sink_->record(span_);
  }

 private:
  SpanSink* sink_;
  Span span_;
};

}  // namespace weir::inline v1
