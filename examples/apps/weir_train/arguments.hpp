#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "errors.hpp"

namespace weir_train {

/// The options of a command line as texts. CLI11 takes it apart; what the values mean is none of its business, so
/// that every refusal has the same form.
class Arguments {
 public:
  explicit Arguments(std::string const& description) : app_(description) { app_.option_defaults()->group("Options"); }

  void add(std::string const& name, std::string const& values, std::string const& description,
           std::string const& group) {
    app_.add_option(name, values_[name], description)->type_name(values)->group(group);
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
      throw UsageError(app_.remaining().front() + ": there is no such option; --help lists those there are");
    } catch (CLI::ParseError const& error) {
      std::string const text = error.what();
      throw UsageError(text.substr(0, text.find('\n')) + "; --help says what would be right");
    }
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
  CLI::App app_;
  std::map<std::string, std::string> values_;
};

}  // namespace weir_train
