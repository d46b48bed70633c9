#include "weir/pipeline/check_sparse.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "weir/pipeline/check_cells.hpp"
#include "weir/pipeline/grid_csv.hpp"

using namespace weir;

TEST_CASE("what is missing is found as in a table that is held as a whole") {
  for (char const* grid : {"0F0,0B0\n", "0F0,0I0,3W4\n", "2F2,2B2,0F4\n1F1,1I1,1W1,1B3\n", "3F0\n,\n3I0\n"}) {
    ScheduleTable table = read_grid_csv(grid);
    table.properties().stages = 4;
    table.properties().micro_batches = 6;
    Validation sparse(1000);
    detail::check_sparse(table, sparse);
    Validation whole(1000);
    OperationIndex const index(table);
    detail::CellCheck(table, index, {}, whole).run();
    std::vector<std::string> expected;
    for (std::string const& line : whole.text()) {
      if (line.starts_with("missing")) expected.push_back(line);
    }
    CHECK(sparse.text() == expected);
    CHECK(sparse.count() == expected.size());
    Validation few(3);
    detail::check_sparse(table, few);
    CHECK(few.count() == expected.size());
    CHECK(few.text()[2] == expected[2]);
  }
}
