#include "weir/pipeline/validate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pipeline/brute_force.hpp"
#include "pipeline/random_table.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/place_communication.hpp"
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

Rows rows_of(TableView const& table) {
  Rows rows;
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker)
    rows.emplace_back(table.worker(worker).begin(), table.worker(worker).end());
  return rows;
}

/// The operations of a worker, a pair in one.
std::vector<std::vector<Operation>> slots_of(std::vector<Operation> const& row) {
  std::vector<std::vector<Operation>> slots;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i == 0 || row[i - 1].kind != OperationKind::pair) slots.emplace_back();
    slots.back().push_back(row[i]);
  }
  return slots;
}
std::vector<Operation> joined(std::vector<std::vector<Operation>> const& slots) {
  std::vector<Operation> row;
  for (auto const& slot : slots) row.insert(row.end(), slot.begin(), slot.end());
  return row;
}

/// Whether a worker sends what it has computed, and receives before it computes.
bool messages_are_complete(std::vector<Operation> const& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!is_communication(row[i])) continue;
    bool const is_ahead =
        row[i].kind == OperationKind::send_forward || row[i].kind == OperationKind::receive_forward;
    bool const is_send =
        row[i].kind == OperationKind::send_forward || row[i].kind == OperationKind::send_backward;
    for (std::size_t k = 0; k < row.size(); ++k) {
      bool const is_its = (is_ahead ? is_forward(row[k]) : gives_input_gradient(row[k])) &&
                          row[k].stage == row[i].stage && row[k].micro_batch == row[i].micro_batch;
      if (is_its && (is_send ? k > i : k < i)) return false;
    }
  }
  return true;
}

/// Whether an operation stands before one that it needs itself, on one worker.
bool has_inversion(Rows const& rows) {
  for (std::vector<Operation> const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (std::size_t k = i + 1; k < row.size(); ++k) {
        Operation const& early = row[i];
        Operation const& late = row[k];
        if (early.micro_batch != late.micro_batch) continue;
        bool const is_weight = gives_weight_gradient(early) && !gives_input_gradient(early);
        bool const needs_forward = (is_forward(early) && late.stage + 1 == early.stage) ||
                                   (gives_input_gradient(early) && late.stage == early.stage);
        bool const needs_backward = (gives_input_gradient(early) && late.stage == early.stage + 1) ||
                                    (is_weight && late.stage == early.stage);
        if (is_forward(late) ? needs_forward : gives_input_gradient(late) && needs_backward) return true;
      }
    }
  }
  return false;
}

/// Whether a schedule has a table of this shape, updated with its default period.
bool exists(std::string const& name, std::uint32_t p, std::uint32_t m) {
  if (name == "chimera") return p % 2 == 0 && m % 2 == 0;
  if (name == "dualpipe") return p % 2 == 0 && m % 2 == 0 && m >= 2 * p;
  if (name == "dualpipe-v") return m >= 2 * p;
  if (name == "pipedream-2bw" || name == "wpipe") return m % p == 0;
  return true;
}

/// A refusal names the value that is wrong, and who follows its advice comes to a shape that exists.
void check_refusal(NamedSchedule const& schedule, ScheduleShape shape) {
  for (int advice = 0; advice < 3; ++advice) {
    ShapeRefusal const refused = schedule.refusal(shape);
    if (!refused) return;
    bool const is_workers = refused.parameter == ShapeParameter::workers;
    REQUIRE((is_workers || refused.parameter == ShapeParameter::micro_batches));
    std::uint32_t& value = is_workers ? shape.workers : shape.micro_batches;
    CHECK(refused.given == value);
    CHECK(refused.nearest != value);
    CHECK(std::string(refused.rule).starts_with("needs "));
    value = refused.nearest;
  }
  CHECK_FALSE(schedule.refusal(shape));
}

/// With one forward moved to before the last backward of the update that it waits for.
std::optional<Rows> without_patience(Rows rows, std::uint32_t choice, std::uint32_t period) {
  std::vector<Operation>& row = rows[choice % rows.size()];
  std::size_t const from = choice % row.size();
  Operation const forward = row[from];
  if (!is_forward(forward) || forward.version == 0) return std::nullopt;
  for (std::size_t to = 0; to < from; ++to) {
    if (row[to].kind != OperationKind::backward || row[to].stage != forward.stage ||
        row[to].micro_batch + 1 != forward.version * period)
      continue;
    row.erase(row.begin() + static_cast<std::ptrdiff_t>(from));
    row.insert(row.begin() + static_cast<std::ptrdiff_t>(to), forward);
    return rows;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("every schedule of up to 8 workers is valid or refused by a rule") {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    for (std::uint32_t p = 1; p <= 8; ++p) {
      for (std::uint32_t m = 1; m <= 4 * p; ++m) {
        for (std::uint32_t chunks = 1; chunks <= (schedule.traits.chunks_are_free ? 4 : 1); ++chunks) {
          ScheduleShape shape{.workers = p, .micro_batches = m};
          if (schedule.traits.chunks_are_free) shape.chunks = chunks;
          INFO(schedule.traits.name << " p=" << p << " m=" << m << " V=" << chunks);
          ShapeRefusal const refused = schedule.refusal(shape);
          CHECK(bool(refused) != exists(schedule.traits.name, p, m));
          if (refused) {
            check_refusal(schedule, shape);
          } else {
            CHECK(validate(schedule.make_table(shape)));
          }
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

TEST_CASE("every deletion, repetition and exchange of any two slots in a schedule is rejected or harmless") {
  std::size_t rejected = 0;
  std::size_t harmless = 0;
  for (NamedSchedule const& schedule : schedule_catalog()) {
    for (std::uint32_t p : {2u, 3u}) {
      ScheduleShape const shape{.workers = p, .micro_batches = p == 2 ? 4u : 3u};
      if (schedule.refusal(shape)) continue;
      ScheduleTable const table = schedule.make_table(shape);
      CAPTURE(schedule.traits.name);
      CAPTURE(p);
      Rows const rows = rows_of(table);
      auto const judge = [&](Rows const& changed) {
        return validate(ScheduleTable(table.properties(), changed));
      };
      for (std::size_t worker = 0; worker < p; ++worker) {
        for (std::size_t i = 0; i < rows[worker].size(); ++i) {
          Rows deleted = rows;
          deleted[worker].erase(deleted[worker].begin() + static_cast<std::ptrdiff_t>(i));
          CHECK(judge(deleted).has(ViolationCode::missing));
          Rows repeated = rows;
          repeated[worker].push_back(rows[worker][i]);
          CHECK(judge(repeated).has(ViolationCode::duplicate));
        }
        std::size_t const slots = slots_of(rows[worker]).size();
        for (std::size_t i = 0; i < slots; ++i) {
          for (std::size_t k = i + 1; k < slots; ++k) {
            Rows swapped = rows;
            auto parts = slots_of(rows[worker]);
            std::swap(parts[i], parts[k]);
            swapped[worker] = joined(parts);
            Validation const found = judge(swapped);
            bool const is_free = !found.has(ViolationCode::order) && !found.has(ViolationCode::deadlock);
            CHECK(is_free == BruteForce(ScheduleTable(table.properties(), swapped)).ends());
            ++(is_free ? harmless : rejected);
          }
        }
      }
    }
  }
  CHECK(rejected > 2500);
  CHECK(harmless > 500);
}

TEST_CASE("every deletion, repetition and exchange of a message's cell is rejected or harmless") {
  std::size_t rejected = 0;
  for (char const* name : {"1f1b", "interleaved-1f1b", "zb-h1", "zb-v", "wpipe", "chimera"}) {
    for (std::uint32_t prefetch : {0u, 2u}) {
      ScheduleTable const table =
          place_communication(find_schedule(name)->make_table({.workers = 2, .micro_batches = 4}), prefetch);
      CAPTURE(name);
      Rows const rows = rows_of(table);
      auto const judge = [&](Rows const& changed) {
        return validate(ScheduleTable(table.properties(), changed));
      };
      REQUIRE(judge(rows));
      for (std::size_t worker = 0; worker < 2; ++worker) {
        for (std::size_t i = 0; i < rows[worker].size(); ++i) {
          Operation const& cell = rows[worker][i];
          if (!is_communication(cell)) continue;
          Rows deleted = rows;
          deleted[worker].erase(deleted[worker].begin() + static_cast<std::ptrdiff_t>(i));
          CHECK(judge(deleted).has(ViolationCode::channel));
          Rows moved = deleted;
          moved[1 - worker].push_back(cell);
          CHECK(judge(moved).has(ViolationCode::channel));
          Rows repeated = rows;
          repeated[worker].push_back(cell);
          CHECK(judge(repeated).has(ViolationCode::duplicate));
          for (std::size_t k = 0; k < rows[worker].size(); ++k) {
            Rows swapped = rows;
            std::swap(swapped[worker][i], swapped[worker][k]);
            bool const is_complete = messages_are_complete(swapped[worker]);
            CHECK(judge(swapped).has(ViolationCode::channel) == !is_complete);
            rejected += is_complete ? 0 : 1;
          }
        }
      }
    }
  }
  CHECK(rejected > 500);
}

TEST_CASE("random mutations of messages, order, versions and periods are rejected with the right code") {
  std::size_t counts[5] = {};
  for (std::uint32_t seed = 0; seed < 4'000; ++seed) {
    CAPTURE(seed);
    RandomTable random(seed);
    ScheduleTable const with_messages = place_communication(random.table(), random.below(3));
    Rows rows = rows_of(with_messages);
    std::vector<Operation>& row = rows[random.below(rows.size())];
    std::size_t const lost = row.empty() ? 0 : random.below(row.size());
    if (!row.empty() && is_communication(row[lost])) {
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(lost));
      // The last one of all leaves a table without messages.
      Rows const left = rows;
      bool const has_others = std::any_of(left.begin(), left.end(), [](auto const& each) {
        return std::any_of(each.begin(), each.end(), [](Operation const& o) { return is_communication(o); });
      });
      CHECK(validate(ScheduleTable(with_messages.properties(), rows)).has(ViolationCode::channel) ==
            has_others);
      ++counts[0];
    }

    std::uint32_t const needed = min_edge_capacity(random.table());
    if (needed > 0) {
      CHECK(codes(validate(random.table(), {.edge_capacity = needed - 1})) ==
            std::vector{ViolationCode::capacity});
      ++counts[1];
    }

    for (std::vector<Operation>& each : random.rows) {
      if (each.size() > 1) std::swap(each[random.below(each.size())], each[random.below(each.size())]);
    }
    Validation const exchanged = validate(random.table());
    bool const is_backward_in_time = has_inversion(random.rows);
    CHECK(exchanged.has(ViolationCode::order) == is_backward_in_time);
    if (!is_backward_in_time) {
      bool const is_stuck = !BruteForce(random.table()).ends();
      CHECK(exchanged.has(ViolationCode::deadlock) == is_stuck);
      counts[2] += is_stuck ? 1 : 0;
    }

    std::uint32_t const workers = 2 + random.below(3);
    bool const is_wpipe = random.below(2) == 0;
    ScheduleShape const shape{.workers = workers, .micro_batches = 3 * workers, .period = workers};
    ScheduleTable late = find_schedule(is_wpipe ? "wpipe" : "pipedream-2bw")->make_table(shape);
    if (auto const early = without_patience(rows_of(late), random.below(1000), workers)) {
      CHECK(validate(ScheduleTable(late.properties(), *early)).has(ViolationCode::version));
      ++counts[3];
    }
    late.properties().period = 2 + random.below(3 * workers - 1);
    bool const divides = 3 * workers % late.properties().period == 0;
    CHECK(validate(late).has(ViolationCode::period) == !divides);
    counts[4] += divides ? 0 : 1;
  }
  for (std::size_t const count : counts) CHECK(count > 30);
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
