#include "weir/pipeline/long_csv.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

using namespace weir;

namespace {

void check_round_trip(ScheduleTable const& table) {
  CHECK(read_long_csv(long_csv(table)) == table);
}

std::string error_of(std::string const& lines) {
  try {
    read_long_csv("worker,slot,kind,stage,microbatch,direction,version,period,start,end\n" + lines);
  } catch (TableFileError const& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("one operation per line, with times as exact fractions") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 1, .micro_batches = 1});
  Simulation const simulation = simulate(table, {.worker = {Rational(1, 3), 1, 1}});
  CHECK(long_csv(timeline(table, simulation)) ==
        "worker,slot,kind,stage,microbatch,direction,version,period,start,end\n"
        "0,0,F,0,0,forward,0,0,0,1/3\n"
        "0,1,B,0,0,forward,0,0,1/3,7/3\n");
}

TEST_CASE("nothing is lost: versions, periods, pairs, and what passes have inserted") {
  check_round_trip(make_table<OneFOneB>({.workers = 3, .micro_batches = 4}));
  check_round_trip(make_table<PipeDream>({.workers = 3, .micro_batches = 4}));
  check_round_trip(make_table<WPipe>({.workers = 2, .micro_batches = 8, .period = 4}));
  check_round_trip(make_table<DualPipe>({.workers = 2, .micro_batches = 4}));
  check_round_trip(insert_updates(make_table<WPipe>({.workers = 2, .micro_batches = 4})));
}

TEST_CASE("what is no line is refused") {
  CHECK(error_of("0,0,F,0,0,forward,0,0\n").find("row 2") != std::string::npos);
  CHECK(error_of("0,0,G,0,0,forward,0,0,,\n").find("\"G\"") != std::string::npos);
  CHECK(error_of("0,0,F,x,0,forward,0,0,,\n").find("\"x\"") != std::string::npos);
  CHECK(error_of("0,0,F,0,0,sideways,0,0,,\n").find("forward or reverse") != std::string::npos);
  CHECK(error_of("0,3,F,0,0,forward,0,0,,\n").find("slot 0") != std::string::npos);
  CHECK(error_of("0,0,F,0,0,forward,0,1,,\n").find("period") != std::string::npos);
  CHECK(error_of("").find("no operations") != std::string::npos);
  CHECK_THROWS_AS(read_long_csv("0F0,0B0\n"), TableFileError);
}
