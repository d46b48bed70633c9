#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "sparsify_files.hpp"

namespace {

using namespace weir_test;

bool same_bytes(std::vector<float> const& a, std::vector<float> const& b) {
  return bytes_of(a) == bytes_of(b);
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("weir-sparsify: golden values") {
  struct Cell {
    char const* arguments;
    char const* grid;
    double threshold;             // at density 0.01
    std::array<int, 3> selected;  // at 0.1, 0.01, 0.001
  };
  Cell const cells[] = {{"exponential", "GP3", 6.57373, {1016, 265, 102}},
                        {"exponential --stages 3", "WEI", 174.833, {298, 37, 9}},
                        {"generalized-pareto", "EXP", 4.60336, {1000, 100, 10}},
                        {"generalized-pareto --stages 2", "UNI", 0.990058, {1000, 99, 9}},
                        {"gamma", "WEI", 64.9306, {724, 180, 72}},
                        {"gamma-approximate", "GP3", 8.28362, {735, 156, 54}},
                        {"gamma-pareto --stages 2", "GP3", 10.4966, {840, 87, 10}},
                        {"normal", "EXP", 3.64205, {977, 262, 95}},
                        {"gaussian-k", "UNI", 0.932711, {2689, 673, 1}},
                        {"redsync", "WEI", 126.654, {66, 66, 19}},
                        {"redsync-trim", "EXP", 4.56137, {3679, 104, 18}},
                        {"histogram", "EXP", 4.60937452, {998, 100, 10}},
                        {"topk", "GP3", 9.95688, {1000, 100, 10}}};
  Files const files;
  for (Cell const& cell : cells) {
    char const* const densities[] = {"0.1", "0.01", "0.001"};
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(cell.arguments);
      CAPTURE(densities[i]);
      std::string const arguments = std::string(" --estimator ") + cell.arguments + " --density ";
      Json const step = steps(files / cell.grid + arguments + densities[i])[0];
      CHECK(step["k_selected"] == cell.selected[i]);
      CHECK(step["k_target"] == (i == 0 ? 1000 : i == 1 ? 100 : 10));
      bool const is_staged = std::string(cell.arguments).find("--stages") != std::string::npos;
      if (i == 1)
        CHECK(std::fabs(step["threshold"].get<double>() / cell.threshold - 1) < (is_staged ? 1e-4 : 1e-5));
    }
  }
}

TEST_CASE("weir-sparsify: the keys of a step") {
  Files const files;
  Json const all = steps(files / "EXP " + files / "WEI --estimator exponential --stages 3 --density 0.01");
  REQUIRE(all.size() == 2);
  std::string keys;
  for (auto const& [key, value] : all[1].items()) keys += key + " ";
  CHECK(keys ==
        "file n k_target k_selected quality threshold stages nonfinite overflow seconds_estimate "
        "seconds_select bytes_read bytes_written ");
  Json const& step = all[1];
  CHECK(step["file"] == files / "WEI");
  CHECK(step["n"] == 10000);
  CHECK(step["quality"] == 0.37);
  double const threshold = step["threshold"].get<double>();
  CHECK(static_cast<double>(static_cast<float>(threshold)) == threshold);
  CHECK(step["stages"] == 3);
  CHECK(step["nonfinite"] == 0);
  CHECK(step["overflow"] == 0);
  CHECK(step["seconds_estimate"].get<double>() > 0);
  CHECK(step["seconds_select"].get<double>() > 0);
  CHECK(step["bytes_read"].get<int>() >= 3 * 40000);
  CHECK(step["bytes_written"] == 8 * 37);
}

TEST_CASE("weir-sparsify: what is sent and what is left make up the gradient, bit for bit") {
  Files const files;
  std::vector<float> gradient = grid("EXP");
  gradient[17] = -0.0f;
  gradient[18] = 1e-42f;
  write(files / "g.npy", npy("<f4", gradient));
  for (std::string const estimator : {"histogram", "dgc", "generalized-pareto", "random-k"}) {
    CAPTURE(estimator);
    std::string const arguments =
        files / "g.npy --density 0.01" + files.outputs() + "--estimator " + estimator;
    Json const step = steps(arguments)[0];
    auto const indices = read_npy<std::int32_t>(files / "i.npy", "<i4");
    auto const values = read_npy<float>(files / "v.npy", "<f4");
    auto restored = read_npy<float>(files / "r.npy", "<f4");
    REQUIRE(indices.size() == step["k_selected"].get<std::size_t>());
    REQUIRE(values.size() == indices.size());
    REQUIRE(restored.size() == gradient.size());
    CHECK(std::is_sorted(indices.begin(), indices.end()));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      float& rest = restored[static_cast<std::size_t>(indices[i])];
      CHECK((rest == 0 && !std::signbit(rest)));
      rest = values[i];
    }
    CHECK(same_bytes(restored, gradient));
    if (estimator == "random-k") {
      CHECK(step["threshold"].is_null());
      continue;
    }
    float const threshold = step["threshold"].get<float>();
    CHECK(std::count_if(gradient.begin(), gradient.end(),
                        [&](float x) { return std::fabs(x) > threshold; }) == step["k_selected"]);
  }
}

TEST_CASE("weir-sparsify: with feedback, what is not sent comes back") {
  Files const files;
  write(files / "g.npy", npy("<f4", std::vector<float>{4, -3, 1, 0.5f}));
  std::string const common = files / "g.npy --density 0.25 --estimator topk --steps 4" + files.outputs();
  CHECK(steps(common + "--feedback").size() == 4);
  CHECK(read_npy<std::int32_t>(files / "i.npy", "<i4") == std::vector<std::int32_t>{1});
  CHECK(read_npy<float>(files / "v.npy", "<f4") == std::vector<float>{-6});
  CHECK(read_npy<float>(files / "r.npy", "<f4") == std::vector<float>{4, 0, 4, 2});
  steps(common);
  CHECK(read_npy<float>(files / "v.npy", "<f4") == std::vector<float>{4});
  CHECK(read_npy<float>(files / "r.npy", "<f4") == std::vector<float>{0, -3, 1, 0.5f});
}

TEST_CASE("weir-sparsify: all types and shapes") {
  Files const files;
  std::string const common = " --density 0.25 --estimator topk" + files.outputs();
  std::string const data =
      bytes_of(std::vector<std::uint16_t>{0x3c00, 0xc400, 0x0000, 0x3800});  // 1 -4 0 0.5
  write(files / "half.npy", npy(dictionary("<f2", "2, 2"), data));
  CHECK(steps(files / "half.npy" + common)[0]["threshold"] == 4);
  CHECK(read_npy<float>(files / "v.npy", "<f4") == std::vector<float>{-4});
  CHECK(read_npy<float>(files / "r.npy", "<f4") == std::vector<float>{1, 0, 0, 0.5f});

  write(files / "b.npy", npy("<u2", std::vector<std::uint16_t>{0x3f80, 0xc080, 0x8000, 0x3f00}));
  steps("--bfloat16 --feedback " + files / "b.npy" + common);
  CHECK(read_npy<float>(files / "r.npy", "<f4") == std::vector<float>{1, 0, 0, 0.5f});

  double const third = 1.0 / 3.0;
  write(files / "d.npy", npy("<f8", std::vector<double>{third, 1e-300, -2, 0}));
  CHECK(steps(files / "d.npy --density 0.5 --estimator histogram" + files.outputs())[0]["threshold"] < third);
  CHECK(read_npy<double>(files / "v.npy", "<f8") == std::vector<double>{third, -2});
  CHECK(read_npy<double>(files / "r.npy", "<f8") == std::vector<double>{0, 1e-300, 0, 0});

  write(files / "s.npy", npy(dictionary("<f4", ""), bytes_of(std::vector<float>{3}), 2));
  CHECK(steps(files / "s.npy" + common)[0]["k_selected"] == 1);
  write(files / "e.npy", npy(dictionary("<f4", "3, 0"), ""));
  for (char const* feedback : {"", " --feedback"}) {
    Json const none = steps(files / "e.npy" + common + feedback)[0];
    CHECK(none["n"] == 0);
    CHECK(none["k_target"] == 0);
    CHECK(none["quality"] == 1);
    CHECK(read_npy<float>(files / "r.npy", "<f4").empty());
  }
}

TEST_CASE("weir-sparsify: capacity, seeds, threads and adaptive stages") {
  Files const files;
  Json const cut = steps(files / "EXP --density 0.01 --estimator topk --capacity 30")[0];
  CHECK(cut["k_selected"] == 30);
  CHECK(cut["overflow"] == 70);
  CHECK(cut["quality"] == 0.3);

  auto const drawn = [&](std::string const& seed) {
    steps(files / "EXP --density 0.01 --estimator random-k --seed " + seed + files.outputs());
    return content(files / "i.npy");
  };
  CHECK(drawn("7") == drawn("7"));
  CHECK(drawn("7") != drawn("8"));

  std::string const several = files / "EXP --density 0.01 --estimator dgc --feedback --steps 5 --threads ";
  steps(several + "1" + files.outputs());
  std::string const one = content(files / "i.npy") + content(files / "v.npy") + content(files / "r.npy");
  steps(several + "5" + files.outputs());
  CHECK(content(files / "i.npy") + content(files / "v.npy") + content(files / "r.npy") == one);

  auto const stages = [&](std::string const& rule) {
    return steps(files / "WEI --density 0.001 --estimator exponential --stages adaptive --steps 11 --rule " +
                 rule);
  };
  for (std::string const rule : {"1", "4"}) {
    Json const adapted = stages(rule);
    CHECK(adapted[4]["stages"] == 1);
    CHECK(adapted[5]["stages"] == (rule == "1" ? 1 : 2));
    CHECK(adapted[10]["stages"] == (rule == "1" ? 1 : 3));
  }
  // As many as are asked for, each of which leaves nearly all.
  Json const many = steps(files / "EXP --density 0.001 --estimator exponential --stages 200");
  CHECK(many[0]["stages"] == 200);
  CHECK(many[0]["quality"].get<double>() == doctest::Approx(1.0).epsilon(0.2));
  Json const ranked = steps(files / "EXP --density 0.01 --estimator histogram --stages adaptive");
  CHECK(ranked[0]["k_selected"] == 100);
  Json const first = steps(files / "WEI --density 0.1 --first-stage 0.05 --stages 3 --estimator exponential");
  CHECK(first[0]["stages"] == 1);
}

TEST_CASE("weir-sparsify: what is not finite") {
  Files const files;
  write(files / "g.npy", npy("<f4", std::vector<float>{1, not_a_number, 5, infinity, 2, 3, 4, 0}));
  std::string const common = files / "g.npy --density 0.5" + files.outputs() + "--nonfinite ";
  for (std::string const estimator : {"topk", "random-k"}) {
    Json const skipped = steps(common + "skip --feedback --estimator " + estimator)[0];
    CHECK(skipped["nonfinite"] == 2);
    CHECK(skipped["k_selected"] == 0);
    CHECK(skipped["k_target"] == 4);
    CHECK(skipped["threshold"].is_null());
    CHECK(read_npy<std::int32_t>(files / "i.npy", "<i4").empty());
    CHECK(same_bytes(read_npy<float>(files / "r.npy", "<f4"), std::vector<float>(8)));
  }
  for (std::string const feedback : {"", " --feedback"}) {
    Json const sent = steps(common + "propagate --estimator topk" + feedback)[0];
    CHECK(sent["k_selected"] == 4);
    CHECK(sent["threshold"] == 4);
    CHECK(read_npy<std::int32_t>(files / "i.npy", "<i4") == std::vector<std::int32_t>{1, 2, 3, 6});
    CHECK(read_npy<float>(files / "r.npy", "<f4") == std::vector<float>{1, 0, 0, 0, 2, 3, 0, 0});
    for (char const* name : {"i.npy", "v.npy", "r.npy"}) std::filesystem::remove(files / name);
  }
  std::size_t const before = files.files();
  check_sparsify_refused(common + "error --estimator topk", 1, {"g.npy: 2 elements", "skip or propagate"});
  CHECK(files.files() == before);
}

TEST_CASE("weir-sparsify: a text report") {
  Files const files;
  ProgramResult const result = sparsify(files / "UNI --density 0.01 --estimator exponential --steps 20");
  CHECK(result.status == 0);
  CHECK(result.error.empty());
  CHECK(result.out.find("k selected") != std::string::npos);
  CHECK(result.out.find("10,000") != std::string::npos);
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 23);
  CHECK(result.out.find("--stages adaptive follows it") != std::string::npos);
  CHECK(sparsify("--help").out.find("--first-stage") != std::string::npos);
}

TEST_CASE("weir-sparsify: over a slow link it advises to send less, over a fast one not to") {
  Files const files;
  std::string const arguments = files / "EXP --density 0.01 --estimator topk --ranks 8 --link ";
  auto const advice = [&](std::string const& link) {
    ProgramResult const result = sparsify("--report json " + arguments + link);
    REQUIRE(result.status == 0);
    return Json::parse(result.out).at("advice");
  };
  Json const slow = advice("0,1e4");
  CHECK(slow["ranks"] == 8);
  CHECK(slow["pays"] == true);
  // 7 times 100 pairs of 8 bytes in a gather take 0.56; doubling sends no more; the rest is for selecting.
  CHECK(slow["seconds_sparse"] < 1.0);
  CHECK(slow["seconds_dense"] == doctest::Approx(7.0));
  CHECK(slow["break_even_density"] > 0.12);
  CHECK(slow["break_even_bandwidth"] > 1e4);
  Json const fast = advice("0,1e18");
  CHECK(fast["pays"] == false);
  CHECK(fast["break_even_density"] == 0.0);
  CHECK(fast["break_even_bandwidth"] < 1e18);
  std::string const text = sparsify(arguments + "0,1e4").out;
  CHECK(text.find("Over 8 ranks it pays: ") != std::string::npos);
  CHECK(text.find("bytes per second") != std::string::npos);
}
