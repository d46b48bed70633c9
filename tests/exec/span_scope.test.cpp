#include "weir/exec/span_scope.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Log : weir::SpanSink {
  void begin(weir::Span const& span) noexcept override { begun.push_back(span.name); }
  void record(weir::Span const& span) noexcept override { spans.push_back(span); }
  std::vector<std::string> begun;
  std::vector<weir::Span> spans;
};

}  // namespace

TEST_CASE("a scope tells its sink when it begins, and the whole span when it ends, also by an exception") {
  Log log;
  auto const before = weir::now();
  try {
    weir::SpanScope const scope(&log, {.name = "sgd", .rank = 1, .bucket = 2, .step = 3});
    CHECK(log.begun == std::vector<std::string>{"sgd"});
    CHECK(log.spans.empty());
    throw std::runtime_error("on purpose");
  } catch (std::runtime_error const&) {
  }
  REQUIRE(log.spans.size() == 1);
  weir::Span const& span = log.spans[0];
  CHECK(std::string(span.name) == "sgd");
  CHECK(span.rank == 1);
  CHECK(span.bucket == 2);
  CHECK(span.step == 3);
  CHECK(before <= span.begin);
  CHECK(span.begin <= span.end);
  CHECK(span.end <= weir::now());
}
