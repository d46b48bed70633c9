#include "weir/pipeline/check_pipeline.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/pipeline/insert_predict.hpp"
#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule_table.hpp"

TEST_CASE("a table that breaks a rule is refused with the validator's words") {
  weir::ScheduleTable table({.workers = 1, .stages = 1, .micro_batches = 1});
  table.next_worker();
  table.add({.kind = weir::OperationKind::forward});
  try {
    weir::detail::check_pipeline(table, {.stages = {{}}});
    FAIL("an incomplete table was accepted");
  } catch (weir::ContractViolation const& error) {
    CHECK(std::string(error.what()).find("InterleavedPipeline: the table is not valid: missing:") == 0);
  }
  table.add({.kind = weir::OperationKind::backward});
  weir::detail::check_pipeline(table, {.stages = {{}}});
}

TEST_CASE(
    "what the pipeline inserts itself is refused in a table that it is given, by the name of its cell") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  auto const refusal = [](weir::TableView const& given) {
    try {
      weir::detail::check_pipeline(given, {.stages = {{}, {}}});
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(table).empty());
  std::string const text = refusal(weir::insert_recompute(table, weir::Recompute::always));
  CHECK(text.find("the table has 0RECOMPUTE0") != std::string::npos);
  CHECK(text.find("PipelineOptions::recompute") != std::string::npos);
  CHECK(refusal(weir::insert_updates(table)).find("the table has 0UPDATE1") != std::string::npos);
  auto const late = weir::make_table<weir::PipeDream>({.workers = 2, .micro_batches = 4});
  CHECK(refusal(late).empty());
  CHECK(refusal(weir::insert_predict(late)).find("PREDICT") != std::string::npos);
}

TEST_CASE(
    "where one thread issues the work of all, what looks into messages or times calls is refused by name") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  auto const refusal = [&](weir::PipelineOptions options) {
    options.stages.resize(2);
    weir::detail::check_pipeline(table, options);
    try {
      weir::detail::check_pipeline(table, options, true);
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.records_times = true}).find("records_times") != std::string::npos);
  CHECK(refusal({.stages = {{.codec = weir::EdgeCodec::half}}}).find("codec") != std::string::npos);
}

TEST_CASE("stages that send sparsely need a sparsifier, and a sparsifier such stages") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  auto const refusal = [&](weir::PipelineOptions const& options, bool has_sparsifier) {
    try {
      weir::detail::check_pipeline(table, options, false, has_sparsifier);
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  weir::StageLayout const sends{.outputs = {{3}}, .codec = weir::EdgeCodec::sparse};
  weir::StageLayout const last{.codec = weir::EdgeCodec::sparse};
  weir::PipelineOptions const empty{.stages = {{}, {.codec = weir::EdgeCodec::sparse, .is_empty = true}}};
  CHECK(refusal({.stages = {sends, {}}}, true).empty());
  CHECK(refusal({.stages = {{}, last}}, false).find("the codec of stage 1 is EdgeCodec::sparse") !=
        std::string::npos);
  CHECK(refusal(empty, false).empty());
  // Nothing is sent by the last stage, nor by one without outputs.
  for (weir::PipelineOptions const& none :
       {empty, {.stages = {{}, last}}, {.stages = {{}, sends}}, {.stages = {last, {}}}})
    CHECK(refusal(none, true).find("no stage whose codec is EdgeCodec::sparse") != std::string::npos);
}
