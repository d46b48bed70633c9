#include "weir/trace/svg.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// Whether every tag that is opened is closed, in order, and every & begins an entity.
bool is_well_formed(std::string_view text) {
  std::vector<std::string_view> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&') {
      std::size_t const end = text.find(';', at);
      if (end == std::string_view::npos || end - at > 5) return false;
    }
    if (text[at] != '<') continue;
    std::size_t const end = text.find('>', at);
    if (end == std::string_view::npos) return false;
    std::string_view tag = text.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string_view::npos) return false;
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  return open.empty();
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool has(std::string const& text, char const* part) {
  return text.find(part) != std::string::npos;
}

std::vector<weir::Span> some_spans() {
  return {
      {.name = "micro-batch", .lane = 0, .micro_batch = 0, .step = 3, .begin = 0, .end = 6'000'000},
      {.name = "micro-batch", .lane = 1, .micro_batch = 1, .step = 3, .begin = 1'000'000, .end = 4'000'000},
      {.name = "AllReduce", .bucket = 2, .step = 3, .begin = 5'000'000, .end = 10'000'000}};
}

}  // namespace

TEST_CASE("a timeline has a row for each lane, a bar for each span and a key for each kind") {
  std::string const svg = weir::svg_timeline(some_spans(), {.title = "three spans"});
  CHECK(is_well_formed(svg));
  CHECK(count(svg, "class=\"lane\"") == 3);
  CHECK(count(svg, "class=\"span\"") == 3);
  CHECK(count(svg, "class=\"key\"") == 2);
  for (char const* part : {">three spans<", ">3 spans, 10 ms<", ">worker 0<", ">worker 1<", ">reduce<",
                           ">time in ms<", ">60 %<", ">30 %<", ">50 %<", ">AllReduce 2<"}) {
    CHECK_MESSAGE(has(svg, part), part);
  }
  CHECK_FALSE(has(svg, ">rank"));
  CHECK_FALSE(has(svg, "<script"));
}

TEST_CASE("pointing at a bar tells what, where, when and how long") {
  std::string const svg = weir::svg_timeline(some_spans());
  CHECK(has(svg, "<title>micro-batch\nstep 3, micro-batch 1\nfrom 1 ms, took 3 ms</title>"));
  CHECK(has(svg, "<title>AllReduce\nstep 3, bucket 2\nfrom 5 ms, took 5 ms</title>"));
}

TEST_CASE("spans of one lane that overlap are drawn one below the other, and counted once as busy") {
  std::vector<weir::Span> const spans{{.name = "outer", .lane = 0, .begin = 0, .end = 100},
                                      {.name = "inner", .lane = 0, .begin = 20, .end = 50},
                                      {.name = "later", .lane = 0, .begin = 150, .end = 200}};
  std::string const svg = weir::svg_timeline(spans);
  CHECK(has(svg, "height=\"52\"/>"));
  CHECK(has(svg, ">75 %<"));
  std::vector<weir::Span> const apart{spans[0], spans[2]};
  CHECK(has(weir::svg_timeline(apart), "height=\"26\"/>"));
}

TEST_CASE("several ranks are told apart") {
  std::vector<weir::Span> spans = some_spans();
  spans[1].rank = 1;
  std::string const svg = weir::svg_timeline(spans);
  CHECK(count(svg, ">rank 0<") == 1);
  CHECK(count(svg, ">rank 1<") == 1);
}

TEST_CASE("names and titles with markup in them stay text") {
  std::vector<weir::Span> const spans{{.name = "<b> & \"c\"", .category = "<k>", .begin = 0, .end = 1'000}};
  std::string const svg = weir::svg_timeline(spans, {.title = "</svg><script>"});
  CHECK(is_well_formed(svg));
  CHECK(has(svg, "&lt;b&gt; &amp; &quot;c&quot;"));
  CHECK(has(svg, "&lt;k&gt;"));
  CHECK_FALSE(has(svg, "<script"));
}

TEST_CASE("nothing, an instant, and far too narrow a drawing are drawn too") {
  std::vector<weir::Span> const instant{{.name = "now", .begin = 5, .end = 5}};
  CHECK(is_well_formed(weir::svg_timeline({})));
  CHECK(has(weir::svg_timeline({}), ">no spans<"));
  CHECK(is_well_formed(weir::svg_timeline(instant)));
  CHECK(is_well_formed(weir::svg_timeline(some_spans(), {.width = 10})));
}

TEST_CASE("a timeline is written to a file, or the file says why not") {
  std::string pattern = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
  std::filesystem::path const folder = ::mkdtemp(pattern.data());
  std::string const path = (folder / "timeline.svg").string();
  weir::write_svg(path, some_spans(), {.title = "here"});
  std::ifstream file{path};
  CHECK(std::string{std::istreambuf_iterator<char>{file}, {}} ==
        weir::svg_timeline(some_spans(), {.title = "here"}));
  CHECK_THROWS_AS(weir::write_svg((folder / "none/timeline.svg").string(), some_spans()), weir::FileError);
  std::filesystem::remove_all(folder);
}
