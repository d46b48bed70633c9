#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "weir_train/errors.hpp"

namespace weir_plan {

using Json = nlohmann::ordered_json;

/// A value in a JSON file that knows where it is. Errors: `RunError` that names the file, the path and, if
/// there is one, the device.
class JsonNode {
 public:
  JsonNode(Json const& value, std::string file) : value_(value), file_(std::move(file)) {}

  /// The same, about a device.
  JsonNode of_device(std::string const& name) const {
    JsonNode node = *this;
    node.device_ = name;
    return node;
  }

  bool has(char const* name) const { return value_.contains(name); }
  JsonNode operator[](char const* name) const {
    if (!has(name)) at(name).refuse("missing");
    JsonNode node(value_[name], file_);
    node.path_ = path_.empty() ? name : path_ + "." + name;
    node.device_ = device_;
    return node;
  }

  /// Calls `f(element)` for the elements of an array.
  template <class Function>
  void for_each(Function const& f) const {
    if (!value_.is_array()) refuse_type("a list");
    for (std::size_t i = 0; i < value_.size(); ++i) {
      JsonNode node(value_[i], file_);
      node.path_ = path_ + "[" + std::to_string(i) + "]";
      node.device_ = device_;
      f(node);
    }
  }
  std::size_t size() const { return value_.size(); }

  JsonNode const& object() const {
    if (!value_.is_object()) refuse_type("an object");
    return *this;
  }
  double number() const {
    if (!value_.is_number()) refuse_type("a number");
    return value_.get<double>();
  }
  std::size_t count() const {
    if (!value_.is_number_unsigned() || value_.get<std::size_t>() == 0)
      refuse_type("a whole number of at least 1");
    return value_.get<std::size_t>();
  }
  std::string text() const {
    if (!value_.is_string()) refuse_type("a text");
    return value_.get<std::string>();
  }

  [[noreturn]] void refuse(std::string const& what) const {
    throw weir_train::RunError(file_ + ": " + (path_.empty() ? "" : path_ + ": ") + what +
                               (device_.empty() ? "" : " (" + device_ + ")"));
  }
  [[noreturn]] void refuse_type(std::string const& right) const {
    std::string text = value_.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 40) text = text.substr(0, 40) + "..";
    refuse(text + "; " + right + " would be right");
  }

 private:
  /// Of something that is not there.
  JsonNode at(char const* name) const {
    JsonNode node = *this;
    node.path_ = path_.empty() ? name : path_ + "." + name;
    return node;
  }

  Json const& value_;
  std::string file_;
  std::string path_;
  std::string device_;
};

}  // namespace weir_plan
