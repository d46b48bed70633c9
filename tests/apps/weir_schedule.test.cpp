#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"

namespace {

using Json = nlohmann::ordered_json;

ProgramResult schedule(std::string const& arguments) {
  return run_program("weir-schedule", arguments);
}

Json answer(std::string const& arguments, int status = 0) {
  CAPTURE(arguments);
  ProgramResult const result = schedule("--report json " + arguments);
  INFO(result.error);
  REQUIRE(result.status == status);
  CHECK(result.error.empty());
  return Json::parse(result.out);
}

void check_refused(std::string const& arguments, std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  ProgramResult const result = schedule(arguments);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("weir-schedule: "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  for (std::string const& text : texts) {
    CAPTURE(result.error);
    CAPTURE(text);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

/// Whether some error holds all of the texts.
bool has_error(Json const& answer, std::initializer_list<std::string> texts) {
  for (std::string const error : answer.at("errors")) {
    if (std::all_of(texts.begin(), texts.end(),
                    [&](std::string const& text) { return error.find(text) != std::string::npos; }))
      return true;
  }
  return false;
}

std::string keys(Json const& object) {
  std::string names;
  for (auto const& [key, value] : object.items()) names += key + " ";
  return names;
}

constexpr char const* all_keys =
    "name workers microbatches valid errors makespan idle span_idle peak_activations weight_versions delay "
    "updates "
    "min_edge_capacity bubble_ratio ";

}  // namespace

TEST_CASE("weir-schedule: a valid schedule has every key") {
  Json const wpipe = answer("--name wpipe --workers 4 --microbatches 8");
  CHECK(keys(wpipe) == all_keys);
  CHECK(wpipe["name"] == "wpipe");
  CHECK(wpipe["valid"] == true);
  CHECK(wpipe["errors"].empty());
  CHECK(wpipe["makespan"] == "57/2");
  CHECK(wpipe["idle"] == std::vector<std::string>(4, "9/2"));
  CHECK(wpipe["span_idle"] == std::vector<std::string>{"9/2", "3", "3/2", "0"});
  CHECK(wpipe["peak_activations"] == std::vector<int>{8, 7, 6, 5});
  CHECK(wpipe["weight_versions"] == std::vector<int>{2, 2, 2, 2, 1, 1, 1, 1});
  CHECK(wpipe["delay"] == std::vector<int>{1, 1, 1, 1, 0, 0, 0, 0});
  CHECK(wpipe["updates"] == std::vector<int>(8, 2));
  CHECK(wpipe["min_edge_capacity"] == 2);
  CHECK(wpipe["bubble_ratio"] == "3/19");
  Json const pipedream = answer("--name pipedream --workers 4 --microbatches 8");
  CHECK(pipedream["weight_versions"] == std::vector<int>{4, 3, 2, 1});
  CHECK(pipedream["updates"] == std::vector<int>(4, 8));
}

TEST_CASE("weir-schedule: costs, latency and capacity") {
  CHECK(answer(
            "--name zb-h1 --workers 4 --microbatches 8 --backward-input 3 --backward-weight 2")["makespan"] ==
        "57");
  CHECK(answer("--name interleaved-1f1b --workers 8 --microbatches 16 --latency 0.1")["makespan"] == "123/2");
  CHECK(answer("--name 1f1b --workers 4 --microbatches 8 --latency 1 --edge-capacity 1")["makespan"] == "49");
  CHECK(answer("--name gpipe --workers 4 --microbatches 8 --latency 2/2 --edge-capacity 0")["makespan"] ==
        "53");
  CHECK(answer("--name interleaved-1f1b --workers 4 --microbatches 6 --group 4")["makespan"] == "55/2");
  CHECK(
      answer("--name interleaved-1f1b --workers 4 --microbatches 8 --warmup-factor 1")["min_edge_capacity"] ==
      2);
}

TEST_CASE("weir-schedule: an invalid schedule is status 1, with reasons and no results") {
  Json const late = answer("--name wpipe --workers 4 --microbatches 12 --period 2", 1);
  CHECK(keys(late) == all_keys);
  CHECK(late["valid"] == false);
  CHECK(has_error(late, {"version: ", "4F2", "worker 0", "1", "0"}));
  for (char const* key : {"makespan", "idle", "span_idle", "peak_activations", "weight_versions", "delay",
                          "updates", "min_edge_capacity", "bubble_ratio"}) {
    CHECK(late.at(key).is_null());
  }
  Json const both = answer("--name wpipe --workers 6 --microbatches 8 --period 2", 1);
  CHECK(has_error(both, {"version: ", "6F2"}));
  CHECK(has_error(both, {"deadlock: "}));
  CHECK(has_error(answer("--name wpipe --workers 4 --microbatches 8 --edge-capacity 1", 1), {"capacity: "}));
  CHECK(has_error(answer("--name interleaved-1f1b --workers 4 --chunks 3 --microbatches 5 --group 4", 1),
                  {"deadlock: ", "8F4", "worker 0", "7B0", "worker 3"}));
}

TEST_CASE("weir-schedule: unusable arguments are named in one line") {
  check_refused("", {"--name"});
  check_refused("--name nope --workers 2 --microbatches 2", {"--name nope", "wpipe"});
  check_refused("--name gpipe --microbatches 2", {"--workers"});
  check_refused("--name gpipe --workers 2", {"--microbatches"});
  check_refused("--name gpipe --workers 0 --microbatches 2", {"--workers 0"});
  check_refused("--name gpipe --workers 2 --microbatches x", {"--microbatches x"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --forward -1", {"--forward -1"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --latency 1/0", {"--latency 1/0"});
  check_refused(
      "--name gpipe --workers 2 --microbatches 2 --forward 0 --backward-input 0 --backward-weight 0",
      {"--forward", "0"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --forward 9223372036854775807", {"64 bits"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --chunks 2", {"--chunks 2"});
  check_refused("--name zb-v --workers 2 --microbatches 4 --chunks 1", {"--chunks 1", "2"});
  check_refused("--name interleaved-1f1b --workers 2 --microbatches 4 --warmup-factor 3",
                {"--warmup-factor 3"});
  check_refused("--name pipedream --workers 2 --microbatches 4 --period 2", {"--period 2"});
  check_refused("--name 1f1b --workers 2 --microbatches 4 --period 2", {"--period 2"});
  check_refused("--name 1f1b --workers 2 --microbatches 4 --group 2", {"--group 2"});
  check_refused("--name pipedream-2bw --workers 2 --microbatches 4 --blocks 1", {"--blocks 1"});
  check_refused("--name chimera --workers 3 --microbatches 4", {"--workers 3", "even", "4"});
  check_refused("--name dualpipe --workers 4 --microbatches 7", {"--microbatches 7", "8"});
  check_refused("--name dualpipe-v --workers 4 --microbatches 7", {"--microbatches 7", "8"});
  check_refused("--name wpipe --workers 4 --microbatches 9", {"--microbatches 9", "8"});
  check_refused("--name wpipe --workers 4 --microbatches 8 --blocks 3", {"--blocks 3"});
  check_refused("--name gpipe --workers 4 --microbatches 4000000000", {"--microbatches 4000000000"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --memory 1", {"--memory", "--partition"});
  check_refused("--name gpipe --workers 2 --microbatches 2 --tracing x", {"--tracing"});
}

TEST_CASE("weir-schedule: files are written whole, or not at all") {
  TemporaryFolder const folder;
  auto const files = [&](std::string const& grid) {
    return " --export '" + grid + "' --trace '" + (folder / "t.json") + "' --svg '" + (folder / "s.svg") +
           "'";
  };
  answer("--name wpipe --workers 4 --microbatches 12 --period 2" + files(folder / "t.csv"), 1);
  check_refused("--name gpipe --workers 2 --microbatches 2" + files("/nowhere/t.csv"),
                {"--export", "/nowhere/t.csv"});
  CHECK(folder.files() == 0);
  answer("--name gpipe --workers 2 --microbatches 2" + files(folder / "t.csv"));
  CHECK(folder.files() == 3);
  CHECK(content(folder / "t.csv") == "0F0,0F1,0B0,0B1\n1F0,1F1,1B0,1B1\n");
  CHECK(content(folder / "s.svg").starts_with("<svg "));
  std::size_t events = 0;
  Json const trace = Json::parse(content(folder / "t.json"));
  for (Json const& event : trace.at("traceEvents")) events += event.value("cat", "") == "compute" ? 1 : 0;
  CHECK(events == 8);
  answer("--name gpipe --workers 1 --microbatches 1 --forward 1/2 --export '" + (folder / "t.long.csv") +
         "'");
  CHECK(content(folder / "t.long.csv") ==
        "worker,slot,kind,stage,microbatch,direction,version,period,start,end\n"
        "0,0,F,0,0,forward,0,0,0,1/2\n"
        "0,1,B,0,0,forward,0,0,1/2,5/2\n");
}

TEST_CASE("weir-schedule: a table that was exported and imported gives the same answer") {
  TemporaryFolder const folder;
  std::string const path = folder / "table.csv";
  for (std::string const name : {"wpipe", "pipedream", "pipedream-2bw", "chimera", "dualpipe-v"}) {
    Json const generated = answer("--name " + name + " --workers 4 --microbatches 8 --export '" + path + "'");
    CHECK(answer("--name " + name + " --import '" + path + "'") == generated);
  }
  answer("--name dualpipe --workers 2 --microbatches 4 --export '" + (folder / "d.long.csv") + "'");
  Json const imported = answer("--import '" + (folder / "d.long.csv") + "'");
  CHECK(imported["name"] == "imported");
  CHECK(imported["microbatches"] == 4);
}

TEST_CASE("weir-schedule: imported tables are judged") {
  TemporaryFolder const folder;
  std::string const path = folder / "table.csv";
  auto const judge = [&](std::string const& grid, std::string const& more = "") {
    write(path, grid);
    return answer("--import '" + path + "' " + more, 1);
  };
  std::string const deadlock = "0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n";
  CHECK(has_error(judge(deadlock), {"deadlock: ", "0B0 on worker 0", "1F1 on worker 1"}));
  CHECK(has_error(judge("0F0,0B0,0I1,0F1\n"), {"missing: 0W1"}));
  CHECK(has_error(judge("0F0,0B0,0F1,0B1\n", "--microbatches 3"), {"missing: 0B2"}));
  CHECK(has_error(judge("0F0,0F1,0F2,0B0,0B1,0B2\n", "--name pipedream-2bw --period 2"),
                  {"period: ", "3", "2"}));
  CHECK(has_error(judge("0F0,0SEND_F0,0B0\n1F0,1RECV_F0,1B0,1SEND_B0\n"),
                  {"channel: ", "0RECV_B0", "worker 0"}));
  Json const many = judge("0F199,0B199\n");
  CHECK(many["errors"].size() == 101);
  CHECK(many["errors"][100] == "and 298 more");

  write(path, "0F0,0B0\n1F0,1X0\n");
  check_refused("--import '" + path + "'", {"--import", path, "row 2", "1X0"});
  write(path, "");
  check_refused("--import '" + path + "'", {path, "empty"});
  check_refused("--import '" + (folder / "none.csv") + "'", {"none.csv", "cannot be read"});
  write(path, deadlock);
  check_refused("--import '" + path + "' --workers 3", {"--workers 3", "2"});
  check_refused("--import '" + path + "' --microbatches 1", {"--microbatches 1", "2"});
  check_refused("--import '" + path + "' --period 1", {"--period 1"});
}

TEST_CASE("weir-schedule: lists and partitions") {
  Json const list = answer("--list");
  CHECK(keys(list) == "schedules ");
  CHECK(list["schedules"].size() == 14);
  CHECK(schedule("--list").out.starts_with("sequential\ngpipe\n1f1b\n"));

  Json const cut = answer("--partition 5,20,13,7,11,10 --workers 2 --chunks 2");
  CHECK(cut == Json::parse(R"({"stages": [[0, 0], [1, 1], [2, 3], [4, 5]], "bottleneck": "21"})"));
  CHECK(answer("--partition 4,4 --workers 4")["stages"].dump() == "[[0,0],[1,1],[2,1],[2,1]]");
  CHECK(answer("--partition 1/2,0.25 --workers 1")["bottleneck"] == "3/4");
  Json const tight = answer("--partition 1,1,1,1 --workers 2 --memory 1,1,1,3 --memory-limit 3");
  CHECK(tight["stages"].dump() == "[[0,2],[3,3]]");
  Json const none = answer("--partition 1,1 --workers 2 --memory 2,2 --memory-limit 1", 1);
  CHECK(none["stages"].empty());
  CHECK(none["bottleneck"].is_null());
  CHECK(has_error(none, {"memory: "}));

  check_refused("--partition 1,2", {"--workers"});
  check_refused("--partition 1,,2 --workers 2", {"--partition 1,,2"});
  check_refused("--partition 1,-2 --workers 2", {"-2"});
  check_refused("--partition 1,2 --workers 2 --memory 1,2", {"--memory-limit"});
  check_refused("--partition 1,2 --workers 2 --memory 1 --memory-limit 2", {"--memory 1", "2"});
  check_refused("--partition 1,2 --workers 2 --name gpipe", {"--name"});
}

TEST_CASE("weir-schedule: the report as text") {
  ProgramResult const valid = schedule("--name 1f1b --workers 2 --microbatches 2");
  CHECK(valid.status == 0);
  CHECK(valid.out.starts_with("1f1b: 2 workers, 2 micro-batches, valid\n"));
  CHECK(valid.out.find("peak activations [chunks]") != std::string::npos);
  ProgramResult const invalid = schedule("--name wpipe --workers 4 --microbatches 12 --period 2");
  CHECK(invalid.status == 1);
  CHECK(invalid.out.find("version: 4F2") != std::string::npos);
  CHECK(schedule("--help").out.find("--warmup-factor") != std::string::npos);
}
