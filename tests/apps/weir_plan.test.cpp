#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.hpp"

namespace {

using Json = nlohmann::ordered_json;

std::string const quick_start =
    std::filesystem::path(__FILE__).parent_path() / "../../examples/data/iidp_quickstart_profile.json";

ProgramResult plan(std::string const& arguments) {
  return run_program("weir-plan", arguments);
}

Json answer(std::string const& arguments) {
  CAPTURE(arguments);
  auto const result = plan("--report json --profile " + quick_start + " " + arguments);
  CAPTURE(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  return Json::parse(result.out);
}

/// Nothing on standard output, and one line on standard error that holds each of `texts`.
void check_refused(std::string const& arguments, int status, std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  auto const result = plan(arguments);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("weir-plan: "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  CHECK(result.error.ends_with("\n"));
  for (std::string const& text : texts) {
    CAPTURE(result.error);
    CAPTURE(text);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

/// The shipped profile after `change`, which must be refused with a line that holds `texts`.
template <class Change>
void check_profile_refused(Change const& change, std::initializer_list<std::string> texts) {
  TemporaryFolder const folder;
  Json profile = Json::parse(content(quick_start));
  change(profile);
  write(folder / "profile.json", profile.dump());
  check_refused("--batch 512 --profile " + (folder / "profile.json"), 1, texts);
}

}  // namespace

TEST_CASE("weir-plan: all keys are there, with the golden values") {
  Json const json = answer("--batch 1024 --unit 4 --simulate");
  std::vector<std::string> keys;
  for (auto const& [key, value] : json.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"feasible", "reason", "local_batch", "weight_sync", "groups",
                                         "seconds_per_step", "samples_per_second",
                                         "simulated_seconds_per_step", "simulated_samples_per_second"});
  CHECK(json["feasible"] == true);
  CHECK(json["reason"] == "");
  CHECK(json["local_batch"] == 32);
  CHECK(json["weight_sync"] == "overlap");
  CHECK(json["groups"] ==
        Json::parse(R"([{"device":"Tesla V100-PCIE-16GB","count":4,"workers":1,"micro_batches":5},
                        {"device":"Tesla P100-PCIE-16GB","count":4,"workers":3,"micro_batches":1}])"));
  CHECK(json["seconds_per_step"].get<double>() == doctest::Approx(0.5215206).epsilon(1e-6));
  CHECK(json["samples_per_second"].get<double>() == doctest::Approx(1963.489).epsilon(1e-6));
  CHECK(json["simulated_seconds_per_step"].get<double>() == doctest::Approx(0.5250192).epsilon(1e-6));
  CHECK(json["simulated_samples_per_second"].get<double>() == doctest::Approx(1950.405).epsilon(1e-6));
}

TEST_CASE("weir-plan: units, local batch and weight synchronisation are as asked for") {
  Json const groups = answer("--batch 352")["groups"];
  REQUIRE(groups.size() == 3);
  CHECK(groups[0]["count"] == 3);
  CHECK(groups[1]["count"] == 1);
  Json const fixed = answer("--batch 768 --unit 4 --local-batch 32");
  CHECK(fixed["local_batch"] == 32);
  CHECK(fixed["samples_per_second"].get<double>() == doctest::Approx(1972.709).epsilon(1e-6));
  Json const sequential = answer("--batch 512 --unit 4 --weight-sync sequential");
  CHECK(sequential["weight_sync"] == "sequential");
  CHECK(sequential["seconds_per_step"].get<double>() == doctest::Approx(0.3083454).epsilon(1e-6));
  CHECK(answer("--batch 512 --weight-sync shared")["weight_sync"] == "shared");
}

TEST_CASE("weir-plan: that there is no plan is an answer") {
  Json const json = answer("--batch 1000 --simulate");
  CHECK(json.size() == 9);
  CHECK(json["feasible"] == false);
  CHECK(json["reason"].get<std::string>().find("local batch 32: does not divide 1000") != std::string::npos);
  CHECK(json["groups"] == Json::array());
  for (char const* key : {"local_batch", "weight_sync", "seconds_per_step", "samples_per_second",
                          "simulated_seconds_per_step", "simulated_samples_per_second"})
    CHECK(json[key].is_null());
  auto const text = plan("--profile " + quick_start + " --batch 128");
  CHECK(text.status == 0);
  CHECK(text.out.find("fewer workers than devices") != std::string::npos);
}

TEST_CASE("weir-plan: the text has a row for each group, then the totals") {
  auto const result = plan("--profile " + quick_start + " --batch 4096 --unit 4");
  CHECK(result.status == 0);
  CHECK(result.out ==
        "device                count  workers  micro-batches\n"
        "Tesla V100-PCIE-16GB      4        4              5\n"
        "Tesla P100-PCIE-16GB      4        4              3\n"
        "\n"
        "local batch                    32\n"
        "weight sync               overlap\n"
        "step time [ms]          1818.2688\n"
        "throughput [samples/s]   2252.692\n");
}

TEST_CASE("weir-plan: a bad argument is answered by one line and status 2") {
  std::string const profile = "--profile " + quick_start + " ";
  check_refused("", 2, {"--profile: missing"});
  check_refused(profile, 2, {"--batch: missing"});
  for (char const* value : {"0", "-5", "x", "1.5", "\"\"", "99999999999999999999"}) {
    check_refused(profile + "--batch " + value, 2, {"--batch "});
    check_refused(profile + "--batch 512 --unit " + value, 2, {"--unit "});
    check_refused(profile + "--batch 512 --local-batch " + value, 2, {"--local-batch "});
  }
  check_refused(profile + "--batch 512 --unit 3", 2, {"--unit 3: node0 has 4 devices", "would be right"});
  check_refused(profile + "--batch 512 --local-batch 48", 2, {"--local-batch 48: no device"});
  check_refused(profile + "--batch 512 --weight-sync none", 2, {"--weight-sync none: auto, sequential"});
  check_refused(profile + "--batch 512 --bogus", 2, {"--bogus: there is no such option"});
  check_refused(profile + "--batch", 2, {"--batch: its value is missing"});
  check_refused(profile + "--batch 512 --report xml", 2, {"--report xml: text or json"});
  check_refused(profile + "--batch 512 --output x.json", 2, {"--output: only --measure has it"});
  check_refused("--measure", 2, {"--output: missing"});
  check_refused("--measure --output x.json --batch 5", 2, {"--batch: --measure makes a profile"});
  check_refused("--measure --output x.json --device tpu", 2, {"--device tpu: host or cuda"});
#if !WEIR_PROGRAMS_HAVE_CUDA
  check_refused("--measure --output x.json --device cuda", 2,
                {"--device cuda: this program was built without"});
#endif
}

TEST_CASE(
    "weir-plan: a bad profile is answered by one line that names file, field and device, and status 1") {
  check_refused("--batch 512 --profile /no/such/file.json", 1, {"/no/such/file.json", "cannot be read"});
  TemporaryFolder const folder;
  auto const check_text = [&](std::string const& text, std::initializer_list<std::string> texts) {
    write(folder / "profile.json", text);
    check_refused("--batch 512 --profile " + (folder / "profile.json"), 1, texts);
  };
  check_text("", {"profile.json: line 1 is not JSON"});
  check_text("[]", {"profile.json: []; an object would be right"});
  check_text("{\n\"format\": \"weir-profile-1\",\n\"devices\": [{\"name\": NaN}]}",
             {"profile.json: devices[0].name: line 3 is not JSON"});
  check_text("{\"buckets_mib\": [1, 1e999]}", {"buckets_mib[1]: a number that is too large"});
  check_text(std::string(100'000, '['), {"more than 64 levels"});
  for (std::string const number : {"NaN", "1e999", "-Infinity"}) {
    std::string text = content(quick_start);
    std::string const time = "95.8198";
    text.replace(text.find(time), time.size(), number);
    check_text(
        text, {"profile.json: devices[1].local_batches[1].points[0].forward_ms: ", "(Tesla P100-PCIE-16GB)"});
    text = content(quick_start);
    std::size_t const count = text.rfind("\"count\": ") + 9;
    text.replace(count, 1, number);
    check_text(text, {"profile.json: cluster[1].count: ", "(Tesla P100-PCIE-16GB)"});
  }
  std::string cut = content(quick_start);
  cut.resize(cut.size() / 2);
  check_text(cut, {"is not JSON"});

  check_profile_refused([](Json& p) { p.erase("format"); }, {"profile.json: format: missing"});
  check_profile_refused([](Json& p) { p["format"] = "weir-profile-2"; },
                        {"format: \"weir-profile-2\"; \"weir-profile-1\" would be right"});
  check_profile_refused([](Json& p) { p["rounding"] = "up"; }, {"rounding: \"up\""});
  check_profile_refused([](Json& p) { p["devices"][0]["local_batches"][1]["points"][0].erase("forward_ms"); },
                        {"devices[0].local_batches[1].points[0].forward_ms: missing (Tesla V100-PCIE-16GB)"});
  check_profile_refused(
      [](Json& p) { p["devices"][1]["local_batches"][0]["points"][1]["data_ms"] = -1; },
      {"devices[1].local_batches[0].points[1].data_ms: negative", "(Tesla P100-PCIE-16GB)"});
  check_profile_refused([](Json& p) { p["devices"][1]["local_batches"][0]["points"][1]["data_ms"] = "fast"; },
                        {"devices[1].local_batches[0].points[1].data_ms: \"fast\"; a number would be right",
                         "(Tesla P100-PCIE-16GB)"});
  for (std::string const field : {"data_ms", "forward_ms", "backward_ms", "update_ms", "copy_ms"}) {
    std::string const path = "devices[1].local_batches[0].points[1]." + field + ": ";
    auto const with = [&](Json const& value) {
      return [&, value](Json& p) { p["devices"][1]["local_batches"][0]["points"][1][field] = value; };
    };
    std::string const device = "(Tesla P100-PCIE-16GB)";
    check_profile_refused([&](Json& p) { p["devices"][1]["local_batches"][0]["points"][1].erase(field); },
                          {path, "missing", device});
    check_profile_refused(with(-0.5), {path, "negative", device});
    check_profile_refused(with("12"), {path, "a number would be right", device});
    check_profile_refused(with(nullptr), {path, device});
  }
  for (std::string const field : {"size", "max_workers"}) {
    std::string const path = "devices[0].local_batches[2]." + field + ": ";
    std::string const device = "(Tesla V100-PCIE-16GB)";
    for (Json const& value : {Json(0), Json(-1), Json("4"), Json(2.5)}) {
      check_profile_refused([&](Json& p) { p["devices"][0]["local_batches"][2][field] = value; },
                            {path, device});
    }
    check_profile_refused([&](Json& p) { p["devices"][0]["local_batches"][2].erase(field); }, {path, device});
  }
  for (Json const& value : {Json(0), Json(-1e9), Json("fast")}) {
    check_profile_refused([&](Json& p) { p["cluster"][1]["inter_bytes_per_second"] = value; },
                          {"cluster[1].inter_bytes_per_second: ", "(Tesla P100-PCIE-16GB)"});
  }
  check_profile_refused([](Json& p) { p["devices"][0]["local_batches"][0]["size"] = 1.5; },
                        {"devices[0].local_batches[0].size: 1.5; a whole number", "(Tesla V100-PCIE-16GB)"});
  check_profile_refused([](Json& p) { p["cluster"][1]["device"] = "Tesla K80"; },
                        {"cluster[1].device: not one of the profiled devices (Tesla K80)"});
  check_profile_refused([](Json& p) { p["cluster"][0]["count"] = 0; },
                        {"cluster[0].count: 0; a whole number of at least 1", "(Tesla V100-PCIE-16GB)"});
  check_profile_refused([](Json& p) { p["allreduce"]["inter"]["samples_ms"][2] = {1}; },
                        {"allreduce.inter.samples_ms[2]: [1]; [ideal, measured] would be right"});
  check_profile_refused([](Json& p) { p["buckets_mib"] = Json::array(); }, {"buckets_mib: missing"});
  check_profile_refused([](Json& p) { p["allreduce"].erase("inter"); }, {"allreduce.inter: missing"});
}

TEST_CASE("weir-plan: a chart has a curve for the plans and one for equal shares") {
  TemporaryFolder const folder;
  auto const result = plan("--profile " + quick_start + " --batch 1024 --chart " + (folder / "chart.svg"));
  CHECK(result.status == 0);
  std::string const svg = content(folder / "chart.svg");
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("resnet50 on 8 devices") != std::string::npos);
  CHECK(svg.find("512 samples, 1704.8 samples/s") != std::string::npos);
  std::size_t curves = 0;
  for (std::size_t at = 0; (at = svg.find("<polyline", at)) != std::string::npos; ++at) ++curves;
  CHECK(curves == 2);
  check_refused("--profile " + quick_start + " --batch 512 --chart /no/such/folder/chart.svg", 1,
                {"/no/such/folder/chart.svg"});
}

TEST_CASE("weir-plan: the chart of the documentation is the one that is drawn for the shipped profile") {
  TemporaryFolder const folder;
  std::string const shown =
      std::filesystem::path(__FILE__).parent_path() / "../../docs/primitives/planned_throughput.svg";
  CHECK(plan("--profile " + quick_start + " --batch 4096 --chart " + (folder / "chart.svg")).status == 0);
  CHECK(content(folder / "chart.svg") == content(shown));
}

TEST_CASE("weir-plan: this machine is profiled, and can be planned for then") {
  TemporaryFolder const folder;
  std::string const file = folder / "profile.json";
  auto const result = plan("--measure --threads 2 --report json --output " + file);
  INFO(result.error);
  REQUIRE(result.status == 0);
  Json const profile = Json::parse(content(file));
  CHECK(Json::parse(result.out) == profile);
  CHECK(profile["format"] == "weir-profile-1");
  CHECK(profile["rounding"] == "none");
  CHECK(profile["devices"][0]["local_batches"].size() == 3);
  CHECK(profile["devices"][0]["local_batches"][0]["max_workers"] == 2);
  CHECK(profile["allreduce"]["intra"]["samples_ms"].size() == 9);
  auto const planned = plan("--batch 256 --report json --profile " + file);
  INFO(planned.error);
  REQUIRE(planned.status == 0);
  CHECK(Json::parse(planned.out)["feasible"] == true);
  check_refused("--measure --output /no/such/folder/profile.json", 1, {"/no/such/folder/profile.json"});
}

TEST_CASE("weir-plan: unknown keys are ignored") {
  TemporaryFolder const folder;
  Json profile = Json::parse(content(quick_start));
  profile["remark"] = "measured on a Tuesday";
  profile["devices"][0]["vendor"] = 3;
  write(folder / "profile.json", profile.dump());
  CHECK(plan("--batch 512 --profile " + (folder / "profile.json")).status == 0);
}
