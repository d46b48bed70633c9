#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "chart.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "profile_file.hpp"
#include "report.hpp"
#include "weir/core/error.hpp"
#include "weir/core/file_replacement.hpp"
#include "weir/plan/recommend_weight_sync.hpp"
#include "weir/plan/simulate_step.hpp"
#include "weir/plan/solve.hpp"
#include "weir/plan/time_model.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/file_set.hpp"
#include "weir_train/standard_output.hpp"

namespace {

using namespace weir_plan;
using weir_train::RunError;
using weir_train::UsageError;
using weir_train::write_out;

constexpr int success = 0;
constexpr int failure = 1;
constexpr int unusable_arguments = 2;

weir::TimeModel load_model(std::string const& path) {
  weir::Profile const profile = read_profile(path);
  auto const errors = weir::validate(profile);
  if (!errors.empty()) throw RunError(path + ": " + errors.front().text());
  return weir::TimeModel(profile);
}

Answer answer_to(Options const& options, weir::FileReplacement* chart) {
  weir::TimeModel const model = load_model(options.profile);
  weir::Profile const& profile = model.profile();
  weir::PlanRequest const request{.global_batch = options.batch,
                                  .unit = options.unit,
                                  .local_batch = options.local_batch,
                                  .weight_sync = options.weight_sync.value_or(weir::recommend_weight_sync(
                                      profile.buckets_mib, profile.bucket_cap_mib))};
  Answer answer{.is_simulated = options.simulate};
  try {
    answer.plan = solve(model, request);
  } catch (weir::ContractViolation const& error) {
    std::string text = error.what();
    if (text.starts_with("local batch")) text = "local-batch" + text.substr(11);
    throw UsageError("--" + text);
  }
  if (answer.plan.feasible && options.simulate)
    answer.simulated_seconds_per_step = simulate_step(model, answer.plan.ranks, answer.plan.weight_sync);
  if (chart != nullptr) chart->write(throughput_chart(model, request));
  return answer;
}

void plan(Options const& options) {
  weir_train::FileSet files;
  Answer const answer = answer_to(options, files.open(options.chart));
  files.finish();
  write_out(options.json ? json_report(answer) : text_report(answer));
  files.commit();  // nothing is in place where the report could not be written
}

weir::Profile measured(Options const& options) {
  if (!options.on_device) return measure_host(options.threads, options.seed);
#if WEIR_PLAN_WITH_CUDA
  return measure_cuda(options.seed);
#else
  throw UsageError("--device cuda: this program was built without CUDA; --device host would be right");
#endif
}

void measure(Options const& options) {
  weir::FileReplacement file(options.output);  // an error now rather than after the measurement
  constexpr int most_attempts = 3;             // on a machine that is busy with something else
  weir::Profile profile = measured(options);
  auto errors = weir::validate(profile);
  for (int attempt = 1; attempt < most_attempts && !errors.empty(); ++attempt) {
    profile = measured(options);
    errors = weir::validate(profile);
  }
  if (!errors.empty())
    throw RunError("what was measured is no profile: " + errors.front().text() +
                   "; a machine that does nothing else would be right");
  std::string const text = profile_text(profile);
  file.write(text);
  file.finish();
  write_out(options.json ? text : text_report(profile));
  file.commit();
}

void run(Options const& options) {
  if (!options.help.empty()) return write_out(options.help);
  if (options.measure) return measure(options);
  plan(options);
}

void complain(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  std::fprintf(stderr, "weir-plan: %s\n", text.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse_options(argc, argv));
    return success;
  } catch (UsageError const& error) {
    complain(error.what());
    return unusable_arguments;
  } catch (std::bad_alloc const&) {
    complain("out of memory; a smaller batch or cluster would be right");
    return failure;
  } catch (std::exception const& error) {
    complain(error.what());
    return failure;
  }
}
