#include "weir/pipeline/grid_csv.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/validate.hpp"

using namespace weir;

namespace {

std::string error_of(std::string const& text) {
  try {
    read_grid_csv(text);
  } catch (TableFileError const& error) {
    return error.what();
  }
  return {};
}

bool names(std::string const& error, std::string const& text) {
  return error.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("reading back a written table is the identity") {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    if (!schedule.traits.synchronous) continue;
    ScheduleTable const table = schedule.make_table({.workers = 4, .micro_batches = 10});
    CHECK(read_grid_csv(grid_csv(table)) == table);
  }
  std::string const idle = "0F0,0B0\n,\n";
  CHECK(grid_csv(read_grid_csv(idle)) == idle);
}

TEST_CASE("cells, pairs and directions") {
  CHECK(grid_csv(make_table<DualPipe>({.workers = 2, .micro_batches = 4})) ==
        "0F0,1F2r,0F1,1B2r,(1F3r;0B0)OVERLAP_F_B,1B3r,0I1,0W1\n"
        "0F2r,1F0,0F3r,1B0,(1F1;0B2r)OVERLAP_F_B,1B1,0I3r,0W3r\n");
}

TEST_CASE("DualPipe-V of 4 workers and 10 micro-batches is the test table of torch.distributed.pipelining") {
  std::string const grid = grid_csv(make_table<DualPipeV>({.workers = 4, .micro_batches = 10}));
  std::uint64_t hash = 0xcbf29ce484222325;  // of that project's dualpipev_4rank_10mb.csv, by FNV-1a
  for (char const character : grid) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  CHECK(grid.size() == 1261);
  CHECK(hash == 0xd8e3ec6872fc0c24);
}

TEST_CASE("idle steps, blanks, rows of different length and the ends of lines are read") {
  ScheduleTable const table = read_grid_csv("0F0, ,0F1 ,0B0,0B1\r\n,1F0,\t1B0,1F1,1B1,\r\n\r\n \n");
  CHECK(grid_csv(table) == "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n");
  CHECK(table.properties() ==
        TableProperties{.workers = 2, .stages = 2, .micro_batches = 2, .period = 2, .synchronous = true});
}

TEST_CASE("a row that is empty is a worker without operations, unless it is at the end") {
  CHECK(read_grid_csv("0F0,0B0\n\n1F0,1B0\n\n").properties().workers == 3);
}

TEST_CASE("communication is kept, and what shards the weights is not") {
  ScheduleTable const table =
      read_grid_csv("0UNSHARD,0F0,0SEND_F0,0RECV_B0,0B0,0REDUCE_GRAD,0RESHARD0\n1RECV_F0,1F0,1B0,1SEND_B0\n");
  CHECK(table.view().worker(0).size() == 4);
  CHECK(table.view().worker(1)[0].kind == OperationKind::receive_forward);
  CHECK(validate(table));
  CHECK(grid_csv(table) == "0F0,0B0\n1F0,1B0\n");
}

TEST_CASE("the older letters") {
  std::string const now = "0F0,0I0,0W0,0F1,0B1\n";
  CHECK(grid_csv(read_grid_csv("0F0,0B0,0W0,0F1,0BW1\n")) == now);
  CHECK(grid_csv(read_grid_csv(now)) == now);
  CHECK(grid_csv(read_grid_csv("0F0,0B0,0W0\n")) == "0F0,0I0,0W0\n");
  // A BW anywhere is enough; an I without one speaks against it.
  CHECK(grid_csv(read_grid_csv("0F0,0B0,0F1,0BW1\n")) == "0F0,0I0,0F1,0B1\n");
  CHECK(grid_csv(read_grid_csv("0F0,0B0,0W0,0I1\n")) == "0F0,0B0,0W0,0I1\n");
}

TEST_CASE("what is no cell is named with its row and what would be right") {
  for (char const* cell : {"0X1", "F1", "0F", "01", "0F1x", "0F1rr", "-1F0", "0f1", "(0F0)OVERLAP_F_B",
                           "(0F0;0F1)OVERLAP_F_B", "(0B0;0F1)OVERLAP_F_B", "(0F0;0B1)", "0SEND_G1", "0 F1"}) {
    std::string const error = error_of("0F0,0B0\n1F0," + std::string(cell) + "\n");
    CAPTURE(error);
    CHECK(names(error, "row 2, cell \"" + std::string(cell) + "\""));
    CHECK(names(error, "would be right"));
  }
  CHECK(names(error_of("70000F0\n"), "65535"));
  CHECK(names(error_of("0F99999999999\n"), "0F99999999999"));
  for (char const* text : {"", "\n\n", " \r\n"}) CHECK(names(error_of(text), "empty"));
  CHECK(names(error_of(",,\n,\n"), "no operations"));
}
