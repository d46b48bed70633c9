// The fuzz targets without a fuzzer: tables as files, and mutations of them that are the same in each run.
#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "mutator.hpp"
#include "table_input.hpp"
#include "weir/pipeline/place_communication.hpp"
#include "weir/pipeline/schedule_catalog.hpp"

namespace {

using weir_test::Bytes;
using weir_test::bytes_of;
using weir_test::TableForm;
using weir_test::text_of;

/// Every schedule, and cells that only other programs write.
std::vector<Bytes> seeds(TableForm form) {
  std::vector<Bytes> seeds;
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog()) {
    weir::ScheduleTable const table = schedule.make_table({.workers = 2, .micro_batches = 4});
    seeds.push_back(bytes_of(form == TableForm::grid ? weir::grid_csv(table)
                                                     : weir::long_csv(weir::place_communication(table))));
  }
  if (form == TableForm::grid) {
    seeds.push_back(bytes_of("0UNSHARD,0F0,0SEND_F0,0RECV_B0,0B0,0REDUCE_GRAD\n1RECV_F0,1F0,1B0,1SEND_B0\n"));
    seeds.push_back(bytes_of("0F0,0F1,,0B0,0W0,0BW1,\r\n"));
  }
  return seeds;
}

}  // namespace

TEST_CASE("what a flip, a cut or a hostile number makes of a table's file is read or refused") {
  for (TableForm const form : {TableForm::grid, TableForm::one_operation_per_line}) {
    auto const all = seeds(form);
    for (Bytes const& seed : all) CHECK(weir_test::refusal(text_of(seed), form) == "");
    weir_test::Mutator mutate(1);
    std::size_t valid = 0;
    std::size_t invalid = 0;
    std::set<std::string> refusals;
    for (std::size_t i = 0; i < 20'000; ++i) {
      std::string const refusal =
          weir_test::refusal(text_of(mutate(all[i % all.size()], all[i * 5 % all.size()])), form);
      valid += refusal.empty() ? 1 : 0;
      invalid += refusal == "invalid" ? 1 : 0;
      refusals.insert(refusal);
    }
    CHECK(valid > 50);
    CHECK(invalid > 100);
    CHECK(refusals.size() > 500);
  }
}
