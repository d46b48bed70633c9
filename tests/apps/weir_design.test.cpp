#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mask/design_checks.hpp"
#include "program.hpp"
#include "weir/mask/bibd_mask.hpp"

namespace {

using Json = nlohmann::ordered_json;

ProgramResult design(std::string const& arguments) {
  return run_program("weir-design", arguments);
}

Json answer(std::string const& arguments) {
  CAPTURE(arguments);
  ProgramResult const result = design("--report json " + arguments);
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  return Json::parse(result.out);
}

/// Nothing on standard output, and one line on standard error that holds each of `texts`.
void check_refused(std::string const& arguments, int status, std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  ProgramResult const result = design(arguments);
  CAPTURE(result.error);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("weir-design: "));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  for (std::string const& text : texts) {
    CAPTURE(text);
    CHECK(result.error.find(text) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("weir-design: a plane, by its shape") {
  Json const plane = answer("--outputs 20 --inputs 16");
  CHECK(plane["family"] == "affine-plane");
  CHECK(plane["inputs"] == 16);
  CHECK(plane["outputs"] == 20);
  CHECK(plane["nnz"] == 80);
  CHECK(plane["density"] == 0.25);
  CHECK(plane["row_degree"] == Json::array({4, 4}));
  CHECK(plane["column_degree"] == Json::array({5, 5}));
  CHECK(plane["lambda"] == Json({{"1", "120"}}));
  CHECK(plane["exact"] == true);
  CHECK(plane["sigma2"].get<double>() == doctest::Approx(2));
  CHECK(plane["table_bytes"].is_number_unsigned());
  CHECK(plane["seconds_construct"].get<double>() > 0);
  CHECK(answer("--outputs 16 --inputs 20 --family affine-plane --order 4")["exact"] == false);
  CHECK(answer("--outputs 20 --inputs 16 --seed 5")["exact"] == true);
  CHECK(answer("--outputs 20 --inputs 16 --family complement-of:auto")["family"] ==
        "complement-of:affine-plane");
  CHECK(answer("--family quartic-residue --order 13")["exact"] == true);
  CHECK(answer("--family paley --order 4003 --seed 123456789")["nnz"] == 4003 * 2001);
  CHECK(answer("--family residual-of:steiner-triple --inputs 7")["nnz"] == 12);
  CHECK(answer("--outputs 5 --inputs 18 --density 1 --block-size 3")["sigma2"] == 0);
}

TEST_CASE("weir-design: shapes between, densities, tiles and known spectra") {
  Json const between = answer("--outputs 42 --inputs 36");
  CHECK(between["family"] == "hadamard-group");
  CHECK(between["column_degree"] == Json::array({10, 11}));
  CHECK(between["exact"] == false);
  CHECK(answer("--outputs 512 --inputs 512 --density 0.3")["nnz"] == 512 * 160);
  Json const tiles = answer("--outputs 1024 --inputs 1024 --density 0.125 --block-size 64");
  CHECK(tiles["nnz"] == 131072);
  CHECK(tiles["sigma2"].get<double>() == doctest::Approx(128));
  Json const group = answer("--outputs 512 --inputs 512 --family hadamard-group --order 32");
  CHECK(group["lambda"] == Json({{"0", "69376"}, {"1", "61440"}}));
  CHECK(group["sigma2"].get<double>() == doctest::Approx(5.65542).epsilon(1e-5));
  CHECK(group["table_bytes"].get<std::size_t>() <= 2 * 16 * 16 + 1024);
  CHECK(answer("--family paley --order 1019")["table_bytes"].get<std::size_t>() <= 4 * 509 + 1024);
}

TEST_CASE("weir-design: lambda is left out beyond 4,096 inputs unless asked for") {
  CHECK_FALSE(answer("--outputs 8 --inputs 4100 --density 0.25").contains("lambda"));
  CHECK(answer("--outputs 8 --inputs 4100 --density 0.25 --lambda-histogram").contains("lambda"));
}

TEST_CASE("weir-design: the matrix as .npy, .mtx, .svg and .dot") {
  TemporaryFolder const folder;
  answer("--outputs 64 --inputs 64 --family hadamard-group --order 8 --matrix " + (folder / "a.npy") +
         " --mtx " + (folder / "a.mtx") + " --svg " + (folder / "a.svg") + " --svg-graph " +
         (folder / "g.svg") + " --dot " + (folder / "a.dot"));
  std::string const npy = content(folder / "a.npy");
  REQUIRE(npy.size() > 64 * 64);
  CHECK(crc32(std::vector<std::uint8_t>(npy.end() - 64 * 64, npy.end())) == 0x96aaf921);
  CHECK(content(folder / "a.mtx")
            .starts_with("%%MatrixMarket matrix coordinate pattern general\n64 64 512\n1 1\n1 9\n"));
  CHECK(content(folder / "a.svg").find("viewBox=\"0 0 64 64\"") != std::string::npos);
  CHECK(content(folder / "a.svg").find("M8 0h1v1h-1z") != std::string::npos);
  CHECK(content(folder / "g.svg").find("<circle") != std::string::npos);
  CHECK(content(folder / "a.dot").starts_with("graph {\ni0 -- o0;\ni8 -- o0;\n"));
  CHECK(folder.files() == 5);
  check_refused("--outputs 8 --inputs 8 --matrix " + (folder / "b.npy") + " --mtx " + (folder / "none/b.mtx"),
                1, {"none/b.mtx", "cannot be written"});
  CHECK(folder.files() == 5);
}

TEST_CASE("weir-design: what the prototype would have made") {
  TemporaryFolder const folder;
  Json const legacy = answer("--family legacy-iddl --outputs 16 --inputs 784 --matrix " + (folder / "l.npy"));
  CHECK(legacy["nnz"] == 448);
  CHECK(legacy["column_degree"] == Json::array({0, 1}));
  std::string const npy = content(folder / "l.npy");
  CHECK(crc32(std::vector<std::uint8_t>(npy.end() - 16 * 784, npy.end())) == 0xccf4c1d3);
}

TEST_CASE("weir-design: feasibility") {
  CHECK(answer("--feasibility 43,43,7,7,1")["verdict"] == "impossible");
  CHECK(answer("--feasibility 7,7,3,3,1")["verdict"] == "exists");
  Json const open = answer("--feasibility 157,157,13,13,1");
  CHECK(open["verdict"] == "unknown");
  CHECK(open["reason"].is_string());
  CHECK(design("--feasibility 43,43,7,7,1").out.starts_with("impossible: Bruck-Ryser-Chowla"));
}

TEST_CASE("weir-design: the tables") {
  Json const mlp = answer("--table mlp");
  CHECK(mlp["table"] == "mlp");
  REQUIRE(mlp["rows"].size() == 11);
  CHECK(mlp["rows"][5] == Json({{"name", "MLP-3-1"},
                                {"layers", {784, 16, 20, 10}},
                                {"dense_parameters", 13064},
                                {"legacy_parameters", 728},
                                {"balanced_parameters", 1064},
                                {"biases", 46},
                                {"dense_layers", {12544, 320, 200}},
                                {"legacy_layers", {448, 80, 200}},
                                {"balanced_layers", {784, 80, 200}}}));
  struct {
    char const* name;
    std::vector<std::size_t> layers;
    std::size_t biases;
  } const known[] = {{"MLP-2", {784, 16, 10}, 26},
                     {"MLP-3", {784, 16, 16, 10}, 42},
                     {"MLP-4", {784, 16, 32, 16, 10}, 74},
                     {"MLP-5", {784, 16, 32, 32, 16, 10}, 106},
                     {"MLP-7", {784, 16, 32, 32, 32, 32, 16, 10}, 170},
                     {"MLP-3-1", {784, 16, 20, 10}, 46},
                     {"MLP-3-2", {784, 25, 30, 10}, 65},
                     {"MLP-3-3", {784, 36, 42, 10}, 88},
                     {"MLP-3-4", {784, 49, 56, 10}, 115},
                     {"MLP-112-56", {784, 112, 56, 10}, 178},
                     {"MLP-CIFAR", {3072, 112, 56, 10}, 178}};
  for (std::size_t i = 0; i < 11; ++i) {
    CAPTURE(known[i].name);
    CHECK(mlp["rows"][i]["name"] == known[i].name);
    CHECK(mlp["rows"][i]["layers"] == known[i].layers);
    CHECK(mlp["rows"][i]["biases"] == known[i].biases);
  }
  for (Json const& row : mlp["rows"]) {
    CAPTURE(row["name"].get<std::string>());
    auto const layers = row["layers"].get<std::vector<std::size_t>>();
    struct {
      char const* name;
      std::size_t all = 0;
    } sums[] = {{"dense"}, {"legacy"}, {"balanced"}};
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      bool const is_masked = i + 2 < layers.size();
      weir::MaskOptions const legacy{.family = "legacy-iddl", .outputs = layers[i + 1], .inputs = layers[i]};
      weir::MaskOptions const balanced{.outputs = layers[i + 1], .inputs = layers[i]};
      std::size_t const dense = layers[i] * layers[i + 1];
      std::size_t const wanted[] = {dense, is_masked ? weir::BIBDMask(legacy).nnz() : dense,
                                    is_masked ? weir::BIBDMask(balanced).nnz() : dense};
      for (std::size_t k = 0; k < 3; ++k) {
        CHECK(row[sums[k].name + std::string("_layers")][i] == wanted[k]);
        sums[k].all += wanted[k];
      }
    }
    for (auto const& sum : sums) CHECK(row[sum.name + std::string("_parameters")] == sum.all);
  }
  Json const resnet = answer("--table resnet");
  CHECK(resnet["rows"].size() == 20);
  CHECK(resnet["rows"][2] == Json({{"name", "ResNet-18"},
                                   {"groups", 4},
                                   {"dense_flops", 146134016},
                                   {"dense_parameters", 2934858},
                                   {"legacy_flops", nullptr},
                                   {"legacy_parameters", nullptr},
                                   {"balanced_flops", 35836928},
                                   {"balanced_parameters", 561738}}));
  struct {
    char const* name;
    std::size_t dense_flops, legacy_flops, dense_parameters, legacy_parameters;
  } const networks[] = {{"ResNet-18", 556'651'520, 54'711'296, 11'173'962, 769'656},
                        {"ResNet-34", 1'161'450'496, 99'695'872, 21'282'122, 1'335'512},
                        {"ResNet-50", 1'304'694'784, 205'031'584, 23'520'842, 3'820'994}};
  for (std::size_t i = 0; i < 3; ++i) {
    Json const& row = resnet["rows"][4 * i];  // one group; 2, 4 and 8 follow
    CHECK(row["name"] == networks[i].name);
    CHECK(row["groups"] == 1);
    CHECK(row["dense_flops"] == networks[i].dense_flops);
    CHECK(row["legacy_flops"] == networks[i].legacy_flops);
    CHECK(row["dense_parameters"] == networks[i].dense_parameters);
    CHECK(row["legacy_parameters"] == networks[i].legacy_parameters);
  }
  CHECK(resnet["rows"][0]["balanced_flops"] == 62'379'008);
  CHECK(resnet["rows"][0]["balanced_parameters"] == 934'986);
  CHECK(resnet["rows"][8]["balanced_flops"] == 219'156'480);
  CHECK(resnet["rows"][8]["balanced_parameters"] == 4'077'130);
  CHECK(design("--table mlp").out.find("MLP-112-56") != std::string::npos);
}

TEST_CASE("weir-design: a text report") {
  ProgramResult const result = design("--outputs 20 --inputs 16");
  CHECK(result.status == 0);
  CHECK(result.out.find("affine-plane") != std::string::npos);
  CHECK(result.out.find("pairs of inputs") != std::string::npos);
  CHECK(design("--help").out.find("--block-size") != std::string::npos);
}

TEST_CASE("weir-design: a bad argument is answered by one line that holds option and value, and status 2") {
  check_refused("", 2, {"--outputs", "missing"});
  check_refused("--outputs 16", 2, {"--inputs", "missing"});
  check_refused("--outputs x --inputs 4", 2, {"--outputs x", "whole number"});
  check_refused("--outputs 0 --inputs 4", 2, {"--outputs 0", "from 1"});
  check_refused("--family affine-plane --order 6", 2, {"--order 6: not a prime power (nearest: 5, 7)"});
  check_refused("--family=affine-plane --order=6", 2, {"--order 6: not a prime power (nearest: 5, 7)"});
  check_refused("--family affine-plane --order 99999999999", 2,
                {"--order 99999999999: too large", "nearest: 1621"});
  check_refused("--family quartic-residue --order 1000000000000", 2, {"--order 1000000000000: too large"});
  check_refused("--family affine-plane --order 2048", 2, {"--order 2048: too large", "nearest: 1621"});
  check_refused("--family projective-geometry --order 2 --dimension 18446744073709551615", 2,
                {"--dimension 18446744073709551615: too large with order 2 (nearest: 30)"});
  check_refused("--family hadamard-group --lambda 2 --outputs 16 --inputs 16", 2,
                {"--lambda 2: ", "giving the order"});
  check_refused("--family steiner-triple --inputs 21 --block-size 2", 2,
                {"--inputs 21: ", "(nearest: 18, 26)"});
  check_refused("--outputs 8 --inputs 8 --block-size 4294967296", 2,
                {"--block-size 4294967296: a whole number from 1 to 4294967295"});
  check_refused("--family steiner-triple --outputs 5 --inputs 12", 2, {"--inputs 12", "9, 13"});
  check_refused("--family complement-of:auto --outputs 5 --inputs 5 --density 1", 2,
                {"--family complement-of:auto", "lower density"});
  check_refused("--family fano", 2, {"--family fano", "affine-plane", "random-biregular"});
  check_refused("--family steiner-triple --inputs 11", 2, {"--inputs 11", "9, 13"});
  check_refused("--family paley --order 13", 2, {"--order 13", "11, 19"});
  check_refused("--family twin-prime --order 13", 2, {"--order 13", "11, 17"});
  check_refused("--family quartic-residue --order 41", 2, {"--order 41", "37, 101"});
  check_refused("--family derived-of:projective-plane --order 4", 2,
                {"--family derived-of:projective-plane", "lambda 1"});
  check_refused("--family residual-of:affine-plane --order 4", 2,
                {"--family residual-of:affine-plane", "symmetric"});
  check_refused("--family affine-plane --order 4 --outputs 21 --inputs 16", 2,
                {"--outputs 21", "20 outputs and 16 inputs", "16 outputs and 20 inputs"});
  check_refused("--family hadamard-group --order 32 --outputs 16 --inputs 784", 2,
                {"--order 32", "nearest: 16"});
  check_refused("--family net --order 4 --outputs 30 --inputs 30", 2, {"--order 4", "nearest: 7"});
  check_refused("--outputs 8 --inputs 8 --density 0", 2, {"--density 0", "above 0"});
  check_refused("--outputs 8 --inputs 8 --density 1.01", 2, {"--density 1.01", "at most 1"});
  check_refused("--outputs 8 --inputs 8 --density nan", 2, {"--density nan"});
  check_refused("--outputs 8 --inputs 8 --row-degree 9", 2, {"--row-degree 9", "8"});
  check_refused("--outputs 8 --inputs 6 --row-degree 7", 2, {"--row-degree 7", "from 1 to 6, the inputs,"});
  check_refused("--outputs 8 --inputs 6 --row-degree 0", 2,
                {"--row-degree 0: a whole number from 1 to 6, the inputs, would be right"});
  check_refused("--row-degree x --outputs 8 --inputs 6", 2, {"--row-degree x", "from 1 to 6, the inputs,"});
  check_refused("--outputs 8 --inputs 6 --row-degree 99999999999", 2,
                {"--row-degree 99999999999", "from 1 to 6, the inputs,"});
  check_refused("--outputs 8 --inputs 6 --row-degree 99999999999999999999", 2,
                {"--row-degree 99999999999999999999", "from 1 to 6, the inputs,"});
  check_refused("--outputs 8 --inputs 12 --row-degree 0 --block-size 4", 2,
                {"--row-degree 0", "from 1 to 12, the inputs,"});
  check_refused("--family affine-plane --order 4 --row-degree 0", 2,
                {"--row-degree 0: a whole number of at least 1 would be right"});
  check_refused("--family affine-plane --order 4 --row-degree 5", 2, {"--row-degree 5", "is 4"});
  check_refused("--outputs 8 --inputs 8 --row-degree 2 --density 0.25", 2, {"--row-degree 2", "density"});
  check_refused("--outputs 8 --inputs 8 --block-size 0", 2, {"--block-size 0", "from 1"});
  check_refused("--outputs 100 --inputs 100 --density 0.25 --block-size 5000", 2,
                {"--block-size 5000: greater than 100, the larger side (nearest: 100)"});
  check_refused("--outputs 100 --inputs 30 --block-size=101", 2, {"--block-size 101", "nearest: 100"});
  check_refused("--outputs 30 --inputs 100 --family random --density 0.25 --block-size 101", 2,
                {"--block-size 101", "nearest: 100"});
  check_refused("--family affine-plane --order 4 --dimension 3", 2, {"--dimension 3"});
  check_refused("--outputs 16 --inputs 16 --order 6", 2, {"--order 6", "auto", "hadamard-group"});
  check_refused("--outputs 16 --inputs 16 --dimension 9", 2, {"--dimension 9", "auto", "affine-geometry"});
  check_refused("--family random --outputs 16 --inputs 16 --density 0.5 --order 6", 2,
                {"--order 6", "random", "hadamard-group"});
  check_refused("--family legacy-iddl --outputs 16 --inputs 16 --density 0.9", 2,
                {"--density 0.9", "legacy-iddl", "random-biregular"});
  check_refused("--family steiner-triple --inputs 13 --order 6", 2, {"--order 6", "steiner-triple", "paley"});
  check_refused("--family paley --order 7 --dimension 5", 2, {"--dimension 5", "paley", "projective-plane"});
  check_refused("--family affine-geometry --order 4 --dimension 1", 2, {"--dimension 1", "at least 2"});
  check_refused("--family net --order 0", 2, {"--order 0: a whole number of at least 2 would be right"});
  check_refused("--family net --order 1", 2, {"--order 1: a whole number of at least 2 would be right"});
  check_refused("--family affine-plane --order 4 --lambda 2", 2, {"--lambda 2", "1"});
  check_refused("--feasibility 7,7,3", 2, {"--feasibility 7,7,3", "five"});
  check_refused("--feasibility 7,7,3,3,0", 2, {"--feasibility 7,7,3,3,0", "five"});
  check_refused("--feasibility 7,7,3,7,1", 2, {"--feasibility 7,7,3,7,1", "2 <= k < v"});
  check_refused("--table cnn", 2, {"--table cnn", "mlp or resnet"});
  check_refused("--table mlp --outputs 3", 2, {"--outputs", "--table"});
  check_refused("--report xml --table mlp", 2, {"--report xml", "text or json"});
}
