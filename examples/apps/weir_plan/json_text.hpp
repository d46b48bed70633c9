#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "weir_train/errors.hpp"

namespace weir_plan {

/// Follows the reading of a JSON text, so that an error can say where it is.
class JsonPath {
 public:
  using Json = nlohmann::ordered_json;

  void follow(Json::parse_event_t event, Json const& parsed) {
    using Event = Json::parse_event_t;
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        enter();
        steps_.push_back({event == Event::array_start, {}, 0, {}});
        break;
      case Event::object_end:
      case Event::array_end:
        steps_.pop_back();
        break;
      case Event::key:
        steps_.back().key = parsed.get<std::string>();
        break;
      case Event::value:
        if (is_name_of_device() && parsed.is_string()) steps_.back().device = parsed.get<std::string>();
        enter();
        break;
    }
  }

  /// Of the value that would come next.
  std::string text() const {
    std::string text;
    for (Step const& step : steps_) {
      bool const is_last = &step == &steps_.back();
      if (step.is_array) {
        text += "[" + std::to_string(is_last ? step.index : step.index - 1) + "]";
      } else if (!step.key.empty()) {
        text += (text.empty() ? "" : ".") + step.key;
      }
    }
    return text;
  }

  /// The name of the device that the value would be about; empty if there is none, or it has not been read.
  std::string device() const {
    return steps_.size() < entry_depth ? std::string() : steps_[entry_depth - 1].device;
  }

 private:
  static constexpr std::size_t entry_depth = 3;  // of an element of a list of the whole

  struct Step {
    bool is_array;
    std::string key;    // the latest
    std::size_t index;  // of the next element
    std::string device;
  };

  bool is_name_of_device() const {
    if (steps_.size() != entry_depth) return false;
    std::string const& list = steps_.front().key;
    std::string const& key = steps_.back().key;
    return (list == "devices" && key == "name") || (list == "cluster" && key == "device");
  }

  void enter() {
    if (!steps_.empty() && steps_.back().is_array) ++steps_.back().index;
  }

  std::vector<Step> steps_;
};

/// Errors: `RunError` that names file and line or path, and the device if its name comes before.
inline JsonPath::Json parse_json(std::string const& file, std::string const& text) {
  constexpr int deepest = 64;  // lists and objects in each other, far more than a profile has
  JsonPath path;
  auto const refuse = [&](std::string const& what) {
    throw weir_train::RunError(file + ": " + (path.text().empty() ? "" : path.text() + ": ") + what +
                               (path.device().empty() ? "" : " (" + path.device() + ")"));
  };
  try {
    return JsonPath::Json::parse(
        text, [&](int depth, JsonPath::Json::parse_event_t event, JsonPath::Json& parsed) {
          if (depth > deepest) refuse("more than " + std::to_string(deepest) + " levels; a profile has 7");
          path.follow(event, parsed);
          return true;
        });
  } catch (JsonPath::Json::parse_error const& error) {
    std::size_t line = 1;
    for (std::size_t i = 0; i + 1 < error.byte && i < text.size(); ++i) line += text[i] == '\n' ? 1 : 0;
    refuse("line " + std::to_string(line) + " is not JSON");
  } catch (JsonPath::Json::out_of_range const&) {
    refuse("a number that is too large for a double; a finite number would be right");
  }
  return {};
}

}  // namespace weir_plan
