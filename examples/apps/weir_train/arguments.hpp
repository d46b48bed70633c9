#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "errors.hpp"

namespace weir_train {

/// The options of a command line as texts. CLI11 takes it apart; what the values mean is none of its
/// business, so that every refusal has the same form.
class Arguments {
 public:
  explicit Arguments(std::string const& description) : app_(description) {
    app_.option_defaults()->group("Options");
  }

  void add(std::string const& name, std::string const& values, std::string const& description,
           std::string const& group) {
    app_.add_option(name, values_[name], description)->type_name(values)->group(group);
  }

  /// Arguments that are no options' values.
  void add_list(std::string const& name, std::vector<std::string>& values, std::string const& description) {
    app_.add_option(name, values, description)->type_name("");
  }

  void add_flag(std::string const& name, std::string const& description, std::string const& group) {
    app_.add_flag(name, description)->group(group);
  }

  /// Errors: `UsageError`. Returns the help text if it was asked for, else nothing.
  std::string parse(int argc, char const* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
      return app_.help();
    } catch (CLI::ExtrasError const&) {
      refuse_missing_values();
      std::string const first = app_.remaining().front();
      throw UsageError((first.empty() ? "\"\"" : first) +
                       ": there is no such option; --help lists those there are");
    } catch (CLI::ParseError const& error) {
      std::string const text = error.what();
      std::string const name = text.substr(0, text.find(':'));
      if (values_.count(name) != 0 && app_.count(name) > 1)
        throw UsageError(name + ": given more than once; once would be right");
      if (values_.count(name) != 0) refuse_missing_value(name);
      throw UsageError(text.substr(0, text.find('\n')) + "; --help says what would be right");
    }
    refuse_missing_values();
    return {};
  }

  bool given(std::string const& name) const { return app_.count(name) != 0; }
  int options_given() const {
    int count = 0;
    for (CLI::Option const* option : app_.get_options()) count += option->count() != 0 ? 1 : 0;
    return count;
  }
  std::string const& operator[](std::string const& name) const { return values_.at(name); }

 private:
  [[noreturn]] void refuse_missing_value(std::string const& name) const {
    throw UsageError(name + ": its value is missing; " + name + " " + app_.get_option(name)->get_type_name() +
                     " would be right");
  }

  /// An option that stands where the value of another should.
  void refuse_missing_values() const {
    for (auto const& [name, value] : values_) {
      if (value.starts_with("--")) refuse_missing_value(name);
    }
  }

  CLI::App app_;
  std::map<std::string, std::string> values_;
};

}  // namespace weir_train
