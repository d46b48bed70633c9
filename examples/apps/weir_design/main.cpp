#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "describe.hpp"
#include "kernels.hpp"
#include "options.hpp"
#include "output_files.hpp"
#include "report.hpp"
#include "tables.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/feasibility.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/standard_output.hpp"

namespace {

using namespace weir_design;
using weir_train::write_out;

constexpr int success = 0;
constexpr int failure = 1;
constexpr int unusable_arguments = 2;

void run(Options const& options) {
  if (!options.help.empty()) return write_out(options.help);
  if (options.feasibility) return write_out(report(weir::feasibility(*options.feasibility), options.json));
  if (options.table == Table::mlp) return write_out(report(mlp_table(), options.json));
  if (options.table == Table::resnet) return write_out(report(resnet_table(), options.json));
  Made const made = make(options.mask);
  OutputFiles files(options.paths, options.kernels.value_or(KernelOptions{}));
  files.write(made.design);
  std::optional<KernelSeconds> seconds;
  if (options.kernels) {
    Products const products = run_kernels(made.design, *options.kernels, options.threads);
    files.write(products);
    seconds = products.seconds;
  }
  Description description = describe(made, options.counts_lambda);
  description.kernels = seconds;
  files.finish();
  write_out(report(description, options.json));
  files.commit();  // nothing is in place where the report could not be written
}

void complain(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  std::fprintf(stderr, "weir-design: %s\n", text.c_str());
}

/// What the library says of a parameter, "order 6: ...", about the option of that name as it was given.
std::string about_option(std::string text, int argc, char const* const* argv) {
  std::string const name = "--" + text.substr(0, text.find_first_of(" :"));
  if (!is_option(name)) return text;
  for (int i = 1; i < argc; ++i) {
    std::string const argument = argv[i];
    bool const has_value = argument.starts_with(name + "=");
    if (!has_value && (argument != name || i + 1 == argc)) continue;
    std::string const value = has_value ? argument.substr(name.size() + 1) : argv[i + 1];
    std::size_t const colon = text.find(": ");
    if (colon == std::string::npos) break;
    return name + " " + value + text.substr(colon);
  }
  return "--" + text;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse_options(argc, argv));
    return success;
  } catch (weir_train::UsageError const& error) {
    complain(error.what());
    return unusable_arguments;
  } catch (weir::ContractViolation const& error) {
    complain(about_option(error.what(), argc, argv));
    return unusable_arguments;
  } catch (std::bad_alloc const&) {
    complain("out of memory; smaller sides would be right");
    return failure;
  } catch (std::exception const& error) {
    complain(error.what());
    return failure;
  }
}
