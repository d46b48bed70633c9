#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "options.hpp"
#include "output_files.hpp"
#include "report.hpp"
#include "run.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/standard_output.hpp"

namespace {

using namespace weir_schedule;

constexpr int success = 0;
constexpr int failure = 1;
constexpr int unusable_arguments = 2;

int answer(std::string const& text, bool is_valid) {
  weir_train::write_out(text);
  return is_valid ? success : failure;
}

int run(Options const& options) {
  if (!options.help.empty()) return answer(options.help, true);
  if (options.list) return answer(report_names(options.json), true);
  if (options.partition) {
    weir::Partition const partition = cut(*options.partition);
    return answer(report(partition, *options.partition, options.json), bool(partition));
  }
  OutputFiles files;
  Verdict const verdict = judge(options, files);
  int const status = answer(report(verdict, options.json), verdict.metrics.has_value());
  files.commit();  // nothing is in place where the report could not be written
  return status;
}

void complain(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  std::fprintf(stderr, "weir-schedule: %s\n", text.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse_options(argc, argv));
  } catch (weir_train::UsageError const& error) {
    complain(error.what());
    return unusable_arguments;
  } catch (std::bad_alloc const&) {
    complain("out of memory; less micro-batches or workers would be right");
    return failure;
  } catch (std::exception const& error) {
    complain(error.what());
    return failure;
  }
}
