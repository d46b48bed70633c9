#include "weir/trace/chrome.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// Whether a text is JSON and nothing else.
class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : text_(text) {}
  bool holds() { return value() && (space(), at_ == text_.size()); }

 private:
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char wanted) {
    space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool text() {
    if (!take('"')) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\' && std::string_view{"\"\\/bfnrtu"}.find(text_[++at_]) == std::string_view::npos)
        return false;
    }
    return take('"');
  }
  bool number() {
    std::size_t const begin = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size() &&
           (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.'))
      ++at_;
    return at_ > begin;
  }
  template <class Item>
  bool list(char close, Item item) {
    if (take(close)) return true;
    do {
      if (!item()) return false;
    } while (take(','));
    return take(close);
  }
  bool value() {
    space();
    if (take('{')) return list('}', [&] { return text() && take(':') && value(); });
    if (take('[')) return list(']', [&] { return value(); });
    if (at_ < text_.size() && text_[at_] == '"') return text();
    return number();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool has(std::string const& text, char const* part) {
  return text.find(part) != std::string::npos;
}

std::vector<weir::Span> two_ranks() {
  return {{.name = "micro-batch",
           .category = "compute",
           .rank = 0,
           .lane = 1,
           .micro_batch = 4,
           .step = 7,
           .begin = 1'000'000,
           .end = 1'002'500},
          {.name = "Sgd", .rank = 0, .bucket = 2, .step = 7, .begin = 1'003'001, .end = 1'003'002},
          {.name = "micro-batch",
           .category = "compute",
           .rank = 1,
           .lane = 0,
           .micro_batch = 0,
           .step = 7,
           .begin = 1'000'100,
           .end = 1'000'050}};
}

}  // namespace

TEST_CASE("a trace has an event for each span, in microseconds from the first") {
  std::string const trace = weir::chrome_trace(two_ranks());
  CHECK(JsonCheck{trace}.holds());
  CHECK(has(trace, R"({"ph":"X","name":"micro-batch","cat":"compute","ts":0.000,"dur":2.500,"pid":0,"tid":1,)"
                   R"("args":{"step":7,"micro_batch":4}})"));
  CHECK(has(trace, R"({"ph":"X","name":"Sgd","cat":"Sgd","ts":3.001,"dur":0.001,"pid":0,"tid":2,)"
                   R"("args":{"step":7,"bucket":2}})"));
  CHECK(has(trace, R"("ts":0.100,"dur":0.000,"pid":1,"tid":0,)"));
}

TEST_CASE("ranks and lanes have names, and the stream of the sums follows the workers") {
  std::string const trace = weir::chrome_trace(two_ranks());
  CHECK(has(trace, R"({"ph":"M","name":"process_name","pid":0,"tid":1,"args":{"name":"rank 0"}})"));
  CHECK(has(trace, R"({"ph":"M","name":"process_name","pid":1,"tid":0,"args":{"name":"rank 1"}})"));
  CHECK(has(trace, R"({"ph":"M","name":"thread_name","pid":0,"tid":1,"args":{"name":"worker 1"}})"));
  CHECK(has(trace, R"({"ph":"M","name":"thread_name","pid":0,"tid":2,"args":{"name":"reduce"}})"));
}

TEST_CASE("a name with quotes is a name, and a trace of nothing is a trace") {
  std::vector<weir::Span> const spans{
      {.name = "a \"quoted\" \\ name\n", .category = "\"", .begin = 0, .end = 1}};
  CHECK(JsonCheck{weir::chrome_trace(spans)}.holds());
  CHECK(JsonCheck{weir::chrome_trace({})}.holds());
  CHECK_FALSE(JsonCheck{"{\"a\":}"}.holds());
}

TEST_CASE("a trace is written to a file, or the file says why not") {
  std::string pattern = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
  std::filesystem::path const folder = ::mkdtemp(pattern.data());
  std::string const path = (folder / "trace.json").string();
  weir::write_chrome(path, two_ranks());
  std::ifstream file{path};
  CHECK(std::string{std::istreambuf_iterator<char>{file}, {}} == weir::chrome_trace(two_ranks()));
  CHECK_THROWS_AS(weir::write_chrome((folder / "none/trace.json").string(), two_ranks()), weir::FileError);
  std::filesystem::remove_all(folder);
}
