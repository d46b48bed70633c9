#include "weir/pipeline/validate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "pipeline/brute_force.hpp"
#include "pipeline/random_table.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/schedule_catalog.hpp"

using namespace weir;

namespace {

Validation verdict(std::string const& grid) {
  return validate(read_grid_csv(grid));
}

bool says(Validation const& validation, std::string const& text) {
  for (std::string const& line : validation.text()) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

std::vector<ViolationCode> codes(Validation const& validation) {
  std::vector<ViolationCode> result;
  for (Violation const& violation : validation.violations()) result.push_back(violation.code);
  return result;
}

}  // namespace

TEST_CASE("every schedule of up to 8 workers is valid or refused by a rule") {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    for (std::uint32_t p = 1; p <= 8; ++p) {
      for (std::uint32_t m = 1; m <= 4 * p; ++m) {
        for (std::uint32_t chunks = 1; chunks <= (schedule.traits.chunks_are_free ? 4 : 1); ++chunks) {
          ScheduleShape shape{.workers = p, .micro_batches = m};
          if (schedule.traits.chunks_are_free) shape.chunks = chunks;
          if (schedule.refusal(shape)) continue;
          Validation const validation = validate(schedule.make_table(shape));
          INFO(schedule.traits.name << " p=" << p << " m=" << m << " V=" << chunks);
          CHECK(validation);
        }
      }
    }
  }
}

TEST_CASE("what is missing is named") {
  CHECK(says(verdict("0F0,0B0,0F1\n1F0,1B0,1F1,1B1\n"), "missing: 0B1"));
  CHECK(says(verdict("0F0,0B0,0B1\n1F0,1B0,1F1,1B1\n"), "missing: 0F1"));
  CHECK(says(verdict("0F0,0I0,0F1,0I1,0W1\n"), "missing: 0W0"));
  CHECK(says(verdict("0F0,0W0,0F1,0I1,0W1\n"), "missing: 0I0"));
  CHECK(verdict("0F0,0B0,0F3,0B3\n").count(ViolationCode::missing) == 4);
}

TEST_CASE("what is there twice is named with its worker") {
  CHECK(says(verdict("0F0,0F0,0B0\n"), "duplicate: 0F0 on worker 0 twice"));
  CHECK(says(verdict("0F0,0I0,0B0,0F1,0I1,0W1\n"), "duplicate: 0B0 on worker 0"));
  CHECK(verdict("0F0,0I0,0W0,0B0\n").has(ViolationCode::duplicate));
}

TEST_CASE("a stage on two workers and a micro-batch in both directions are no placement") {
  Validation const two = verdict("0F0,0B0,1F1,1B1\n1F0,1B0,0F1,0B1\n");
  CHECK(says(two, "stage 1"));
  CHECK(says(two, "worker 0"));
  CHECK(says(two, "worker 1"));
  CHECK(two.count(ViolationCode::placement) == 2);
  CHECK(verdict("0F0,0B0r\n").has(ViolationCode::placement));
}

TEST_CASE("an operation before one it needs is named with both slots") {
  Validation const validation = verdict("0F0,0B0\n1B0,1F0\n");
  CHECK(says(validation, "order: 1B0 on worker 1 stands in slot 0, before 1F0 in slot 1"));
  CHECK(validation.count() == 1);  // and nothing is said of a deadlock
  // A pair waits for both inputs before it computes either.
  CHECK(verdict("(0F0;0B0)OVERLAP_F_B\n").has(ViolationCode::order));
}

TEST_CASE("workers that wait for each other are named") {
  Validation const validation = verdict("0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n");
  CHECK(validation.count() == 1);
  CHECK(says(validation, "deadlock: "));
  CHECK(says(validation, "0B0 on worker 0"));
  CHECK(says(validation, "1F1 on worker 1"));
  CHECK(validation.cycle().size() == 2);
}

TEST_CASE("verdicts of the flush-free schedules with too few micro-batches or too small edges") {
  auto const judge = [](char const* name, ScheduleShape const& shape,
                        std::uint32_t capacity = unlimited_capacity) {
    return validate(find_schedule(name)->make_table(shape), {.edge_capacity = capacity});
  };
  Validation const late = judge("wpipe", {.workers = 4, .micro_batches = 12, .period = 2});
  CHECK(codes(late) == std::vector{ViolationCode::version});
  CHECK(says(late, "4F2 on worker 0 needs version 1 of its weights, which has 0"));
  Validation const both = judge("wpipe", {.workers = 6, .micro_batches = 8, .period = 2});
  CHECK(both.has(ViolationCode::deadlock));
  CHECK(says(both, "version: 6F2 on worker 0"));
  CHECK(says(judge("pipedream-2bw", {.workers = 4, .micro_batches = 8, .period = 2}),
             "version: 0F4 on worker 0"));
  CHECK(codes(judge("wpipe", {.workers = 4, .micro_batches = 8}, 1)) == std::vector{ViolationCode::capacity});
  CHECK(judge("wpipe", {.workers = 4, .micro_batches = 8}, 2));
}

TEST_CASE("a period that is too short is told the delay that it would have: (p - 1) / M, rounded up") {
  for (std::uint32_t period = 1; period <= 3; ++period) {
    ScheduleShape const shape{.workers = 5, .micro_batches = 30, .period = period};
    std::string const delay = "a delay of " + std::to_string((4 + period - 1) / period) + " updates";
    CHECK(says(validate(make_table<PipeDream2BW>(shape)), delay));
  }
}

TEST_CASE("delays and versions are held against what was declared") {
  ScheduleTable const table = make_table<WPipe>({.workers = 2, .micro_batches = 4});
  std::vector<WeightRule> rules{{1, 2}, {1, 2}, {0, 1}, {0, 1}};
  CHECK(validate(table, {.weight_rules = rules}));
  rules[1] = {0, 1};
  CHECK(says(validate(table, {.weight_rules = rules}),
             "version: stage 1 on worker 1 has a delay of 1 updates"));
  CHECK(says(validate(table, {.weight_rules = rules}), "version: stage 1 on worker 1 has 2 live versions"));
  rules.pop_back();
  CHECK_THROWS_AS(validate(table, {.weight_rules = rules}), ContractViolation);
}

TEST_CASE("a period that does not divide the micro-batches is one") {
  ScheduleTable table = make_table<OneFOneB>({.workers = 2, .micro_batches = 5});
  table.properties().synchronous = false;
  table.properties().period = 2;
  CHECK(says(validate(table), "period: 5 micro-batches are no multiple of the period 2"));
}

TEST_CASE("limits of memory") {
  ScheduleTable const table =
      make_table<WPipe>({.workers = 2, .micro_batches = 4});  // activations 4 3, versions 3 3
  CHECK(validate(table, {.limits = {.activations = 4, .weight_versions = 3}}));
  CHECK(says(validate(table, {.limits = {.activations = 3}}),
             "memory: worker 0 holds 4 activations, above the limit 3"));
  CHECK(validate(table, {.limits = {.weight_versions = 2}}).count() == 2);
  std::vector<StageBytes> const bytes(4, {.weights = 100, .activation = 10});
  CHECK(validate(table, {.limits = {.bytes = 340}, .stage_bytes = bytes}));
  CHECK(says(validate(table, {.limits = {.bytes = 339}, .stage_bytes = bytes}), "worker 0 holds 340 bytes"));
  ScheduleTable const all = make_table<GPipe>({.workers = 2, .micro_batches = 8});
  CHECK(validate(all, {.limits = {.messages = 1}}));
  ScheduleTable const waves = make_table<LoopedBfs>({.workers = 2, .micro_batches = 8});
  CHECK(says(validate(waves, {.limits = {.messages = 1}}), "from worker 1 to worker 0 holds"));
}

TEST_CASE("skip edges are dependencies") {
  ScheduleTable const table = read_grid_csv("0F0,0B0\n1F0,1B0\n2F0,2B0\n");
  SkipEdge const skip[] = {{0, 2}};
  CHECK(validate(table, {.skip_edges = skip}));
  // Worker 0 runs its backward of 1 between: without the skip edge that is fine.
  ScheduleTable const other = read_grid_csv("0F0,2F0,1F0,1B0,2B0,0B0\n");
  CHECK(validate(other, {.skip_edges = skip}).has(ViolationCode::order));
}

TEST_CASE("a table with far more cells than operations is judged without them all in memory") {
  ScheduleTable table = read_grid_csv("0F0,0B0,0F1\n");
  table.properties().micro_batches = 4'000'000'000;
  Validation const validation = validate(table, {.most = 3});
  CHECK(validation.count(ViolationCode::missing) == 7'999'999'997);
  CHECK(validation.text().front() == "missing: 0B1 is not in the table");
  CHECK(validation.text().back() == "and 7999999994 more");
}

TEST_CASE(
    "10,000 random valid tables are accepted, and as many that break a rule are rejected with its code") {
  std::size_t mutations = 0;
  for (std::uint32_t seed = 0; seed < 14'000; ++seed) {
    RandomTable random(seed);
    Validation const valid = validate(random.table());
    if (!valid) FAIL("seed " << seed << ": " << valid.text().front());

    std::uint32_t const worker = random.below(random.rows.size());
    std::vector<Operation>& row = random.rows[worker];
    if (row.empty()) continue;
    std::size_t const at = random.below(row.size());
    ViolationCode expected = ViolationCode::missing;
    switch (random.below(5)) {
      case 0:
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        row.insert(row.begin() + random.below(row.size()), row[at]);
        expected = ViolationCode::duplicate;
        break;
      case 2: {  // a forward and its backward
        auto const first = std::find_if(row.begin(), row.end(), [&](Operation const& each) {
          return each.stage == row[at].stage && each.micro_batch == row[at].micro_batch;
        });
        auto const second = std::find_if(first + 1, row.end(), [&](Operation const& each) {
          return each.stage == first->stage && each.micro_batch == first->micro_batch;
        });
        std::iter_swap(first, second);
        expected = ViolationCode::order;
        break;
      }
      case 3: {
        if (random.rows.size() == 1) continue;
        std::vector<Operation>& other = random.rows[(worker + 1) % random.rows.size()];
        other.push_back(row[at]);
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(at));
        expected = ViolationCode::placement;
        break;
      }
      default:
        row[at].direction = Direction::reverse;
        expected = ViolationCode::placement;
        break;
    }
    ++mutations;
    Validation const broken = validate(random.table());
    if (!broken.has(expected)) FAIL("seed " << seed << ": no " << name_of(expected));
  }
  CHECK(mutations >= 10'000);
}

TEST_CASE("every deletion, repetition and exchange in a schedule is rejected or harmless") {
  for (char const* name : {"zb-v", "dualpipe", "wpipe", "chimera"}) {
    ScheduleTable const table = find_schedule(name)->make_table({.workers = 2, .micro_batches = 4});
    Rows rows;
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
      std::span<Operation const> const operations = table.view().worker(worker);
      rows.emplace_back(operations.begin(), operations.end());
    }
    auto const judge = [&](Rows const& changed) {
      return validate(ScheduleTable(table.properties(), changed));
    };
    for (std::size_t worker = 0; worker < 2; ++worker) {
      for (std::size_t i = 0; i < rows[worker].size(); ++i) {
        Rows deleted = rows;
        deleted[worker].erase(deleted[worker].begin() + static_cast<std::ptrdiff_t>(i));
        CHECK(judge(deleted).has(ViolationCode::missing));
        Rows repeated = rows;
        repeated[worker].push_back(rows[worker][i]);
        CHECK(judge(repeated).has(ViolationCode::duplicate));
        if (i == 0 || rows[worker][i].kind == OperationKind::pair ||
            rows[worker][i - 1].kind == OperationKind::pair)
          continue;
        Rows swapped = rows;
        std::swap(swapped[worker][i - 1], swapped[worker][i]);
        bool has_pairs = false;
        for (Operation const& each : table.operations())
          has_pairs = has_pairs || each.kind == OperationKind::pair;
        if (has_pairs) continue;
        CHECK(judge(swapped).has(ViolationCode::order) + judge(swapped).has(ViolationCode::deadlock) ==
              (BruteForce(ScheduleTable(table.properties(), swapped)).ends() ? 0 : 1));
      }
    }
  }
}

TEST_CASE("the verdict is that of a search over all interleavings") {
  std::size_t deadlocks = 0;
  std::size_t capacities = 0;
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    RandomTable random(seed);
    if (random.properties.micro_batches > 3 || random.properties.stages > 3) continue;
    std::mt19937 shuffle(seed);
    for (std::vector<Operation>& row : random.rows) {
      if (seed % 3 == 0 || row.size() < 2) continue;
      std::swap(row[shuffle() % row.size()], row[shuffle() % row.size()]);
    }
    ScheduleTable const table = random.table();
    Validation const validation = validate(table);
    bool const is_free = !validation.has(ViolationCode::order) && !validation.has(ViolationCode::deadlock);
    INFO("seed " << seed);
    CHECK(BruteForce(table).ends() == is_free);
    if (!is_free) {
      ++deadlocks;
      continue;
    }
    for (std::uint32_t capacity = 0; capacity <= 2; ++capacity) {
      bool const fits = bool(validate(table, {.edge_capacity = capacity}));
      CHECK(BruteForce(table, capacity).ends() == fits);
      capacities += fits ? 0 : 1;
      CHECK(fits == (min_edge_capacity(table) <= capacity));
    }
  }
  CHECK(deadlocks > 20);
  CHECK(capacities > 20);
}
