#pragma once

#include <nvtx3/nvToolsExt.h>

#include "weir/exec/span_sink.hpp"

namespace weir::inline v1 {

/// Shows what a bound recipe does as NVTX ranges in a domain named "weir", for NVIDIA's profilers. On a
/// device a range is the time it takes to enqueue.
///
/// Give it to a recipe in `BindOptions::spans`; without it no NVTX call is made. Cost: a few nanoseconds a
/// span where no profiler is attached.
class NvtxRanges final : public SpanSink {
 public:
  /// `next` also gets the spans.
  explicit NvtxRanges(SpanSink* next = nullptr) : domain_(nvtxDomainCreateA("weir")), next_(next) {}

  NvtxRanges(NvtxRanges const&) = delete;
  NvtxRanges& operator=(NvtxRanges const&) = delete;
  ~NvtxRanges() override { nvtxDomainDestroy(domain_); }

  void begin(Span const& span) noexcept override {
    nvtxEventAttributes_t range = {};
    range.version = NVTX_VERSION;
    range.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    range.messageType = NVTX_MESSAGE_TYPE_ASCII;
    range.message.ascii = span.name;
    range.payloadType = NVTX_PAYLOAD_TYPE_INT32;
    range.payload.iValue = span.bucket >= 0 ? span.bucket : span.micro_batch;
    nvtxDomainRangePushEx(domain_, &range);
    if (next_ != nullptr) next_->begin(span);
  }

  void record(Span const& span) noexcept override {
    nvtxDomainRangePop(domain_);
    if (next_ != nullptr) next_->record(span);
  }

 private:
  nvtxDomainHandle_t domain_;
  SpanSink* next_;
};

}  // namespace weir::inline v1
