#include "weir/cuda/nvtx_ranges.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "weir/exec/span_scope.hpp"

namespace {

// What a profiler that is linked into the program sees of NVTX.
int domain_object;
std::vector<std::string> calls;

nvtxDomainHandle_t NVTX_API create_domain(char const* name) {
  calls.push_back(std::string("create ") + name);
  return reinterpret_cast<nvtxDomainHandle_t>(&domain_object);
}
void NVTX_API destroy_domain(nvtxDomainHandle_t) {
  calls.push_back("destroy");
}
int NVTX_API push_range(nvtxDomainHandle_t domain, nvtxEventAttributes_t const* range) {
  bool const is_ours = domain == reinterpret_cast<nvtxDomainHandle_t>(&domain_object);
  calls.push_back((is_ours ? "push " : "push elsewhere ") + std::string(range->message.ascii) + ' ' +
                  std::to_string(range->payload.iValue));
  return 0;
}
int NVTX_API pop_range(nvtxDomainHandle_t) {
  calls.push_back("pop");
  return 0;
}

int NVTX_API attach(NvtxGetExportTableFunc_t get_export_table) {
  auto const* const callbacks =
      static_cast<NvtxExportTableCallbacks const*>(get_export_table(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0) return 0;
  auto const set = [&](int callback, auto* function) {
    *table[callback] = reinterpret_cast<NvtxFunctionPointer>(function);
  };
  set(NVTX_CBID_CORE2_DomainCreateA, &create_domain);
  set(NVTX_CBID_CORE2_DomainDestroy, &destroy_domain);
  set(NVTX_CBID_CORE2_DomainRangePushEx, &push_range);
  set(NVTX_CBID_CORE2_DomainRangePop, &pop_range);
  return 1;
}

struct Names : weir::SpanSink {
  void begin(weir::Span const& span) noexcept override { text += std::string("(") + span.name; }
  void record(weir::Span const&) noexcept override { text += ')'; }
  std::string text;
};

}  // namespace

TEST_CASE("spans are ranges of the domain weir, nested as they are, and are passed on") {
  InitializeInjectionNvtx2_fnptr = &attach;  // read by the first call of NVTX in the program
  Names names;
  {
    weir::NvtxRanges ranges(&names);
    weir::SpanScope const outer(&ranges, {.name = "micro-batch", .micro_batch = 3});
    weir::SpanScope const inner(&ranges, {.name = "sgd", .bucket = 2});
  }
  CHECK(calls ==
        std::vector<std::string>{"create weir", "push micro-batch 3", "push sgd 2", "pop", "pop", "destroy"});
  CHECK(names.text == "(micro-batch(sgd))");
}
