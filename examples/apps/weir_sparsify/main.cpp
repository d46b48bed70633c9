#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "advice.hpp"
#include "bucket.hpp"
#include "gradient.hpp"
#include "options.hpp"
#include "output_files.hpp"
#include "report.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/standard_output.hpp"

namespace {

using namespace weir_sparsify;
using weir_train::write_out;

constexpr int success = 0;
constexpr int failure = 1;
constexpr int unusable_arguments = 2;

void refuse_failed(StepReport const& step, Gradient const& gradient) {
  if (step.statistics.status != weir::SparsifyStatus::failed) return;
  throw weir_train::RunError(
      gradient.path + ": " + std::to_string(step.statistics.non_finite) +
      " elements are NaN or infinite; finite ones, or --nonfinite skip or propagate, would "
      "be right");
}

void run(Options const& options) {
  if (!options.help.empty()) return write_out(options.help);
  std::vector<Gradient> const gradients = read_gradients(options.files, options.is_bfloat16);
  OutputFiles files(options.outputs);
  weir::ThreadTeam team(options.threads);
  auto const bucket = make_bucket(team, options, gradients.front());
  std::vector<NamedStep> steps;
  for (std::size_t round = 0; round < options.repeats; ++round) {
    for (Gradient const& gradient : gradients) {
      steps.push_back({gradient.path, bucket->step(gradient, steps.size())});
      refuse_failed(steps.back().step, gradient);
    }
  }
  std::optional<Advice> advice;
  if (options.network && gradients.front().size > 0)
    advice = make_advice(*options.network, steps.back().step, *bucket);
  files.write(*bucket);
  write_out(report(steps, advice, options.json));
  files.commit();  // nothing is in place where the report could not be written
}

void complain(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  std::fprintf(stderr, "weir-sparsify: %s\n", text.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse_options(argc, argv));
    return success;
  } catch (weir_train::UsageError const& error) {
    complain(error.what());
    return unusable_arguments;
  } catch (std::bad_alloc const&) {
    complain("out of memory; smaller gradients would be right");
    return failure;
  } catch (std::exception const& error) {
    complain(error.what());
    return failure;
  }
}
