#include "weir/pipeline/validation.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace weir;

namespace {

std::string text_of(Violation const& violation) {
  Validation validation(1);
  validation.add(violation);
  return validation.text().front();
}

constexpr Operation f{OperationKind::forward, Direction::forward, 2, 3};
constexpr Operation b{OperationKind::backward, Direction::forward, 2, 3};

}  // namespace

TEST_CASE("each code has its text, with cell and worker") {
  CHECK(text_of({ViolationCode::missing, ViolationKind::cell, f}) == "missing: 2F3 is not in the table");
  CHECK(text_of({ViolationCode::duplicate, ViolationKind::repeated, f, {}, 1, 1}) ==
        "duplicate: 2F3 on worker 1 twice");
  CHECK(text_of({ViolationCode::duplicate, ViolationKind::repeated, f, {}, 0, 1}) ==
        "duplicate: 2F3 on worker 0 and again on worker 1");
  CHECK(text_of({ViolationCode::placement, ViolationKind::two_workers, f, {}, 0, 1}) ==
        "placement: stage 2 is on worker 0 and, with 2F3, on worker 1");
  CHECK(text_of({ViolationCode::channel, ViolationKind::too_early, f, b, 1, 1}) ==
        "channel: 2F3 on worker 1 stands before 2B3");
  CHECK(text_of({ViolationCode::version, ViolationKind::too_old, f, {}, 1, 1, 2, 1, 3}) ==
        "version: 2F3 on worker 1 needs version 2 of its weights, which has 1 by then; a delay of 3 updates, "
        "with 4 "
        "versions, would be right");
  CHECK(text_of({ViolationCode::version, ViolationKind::late, f, {}, 1, 1, 1, 2}) ==
        "version: stage 2 on worker 1 has a delay of 2 updates; 1 were declared");
  CHECK(text_of({ViolationCode::version, ViolationKind::too_many_versions, f, {}, 1, 1, 1, 2}) ==
        "version: stage 2 on worker 1 has 2 live versions; 1 were declared");
  CHECK(text_of({ViolationCode::memory, ViolationKind::messages, {}, {}, 1, 2, 3, 4}) ==
        "memory: the edge from worker 1 to worker 2 holds 4 messages, above the limit 3");
}

TEST_CASE("a cycle is told worker by worker") {
  Validation validation(10);
  validation.add(ViolationCode::capacity, {{0, f, 1, b, false}, {1, b, 0, b, true}});
  CHECK(validation.text().front() ==
        "capacity: 2F3 on worker 0 waits for 2B3 of worker 1; 2B3 on worker 1 waits for room on the full "
        "edge 1 -> 0 "
        "(B) to worker 0");
}

TEST_CASE("violations beyond those that are kept are counted") {
  Validation validation(2);
  CHECK(validation);
  for (int i = 0; i < 5; ++i) validation.add({ViolationCode::missing, ViolationKind::cell, f});
  validation.add_unnamed(ViolationCode::missing, 10);
  CHECK_FALSE(validation);
  CHECK(validation.count() == 15);
  CHECK(validation.count(ViolationCode::missing) == 15);
  CHECK(validation.has(ViolationCode::missing));
  CHECK_FALSE(validation.has(ViolationCode::order));
  CHECK(validation.text().size() == 3);
  CHECK(validation.text(1) == std::vector<std::string>{"missing: 2F3 is not in the table", "and 14 more"});
}
