// What bench-compress-table is made of.
#include "../../bench/compress/selection_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "../../bench/compress/sparsifier.hpp"
#include "weir/compress/threshold/exponential.hpp"

namespace {

/// A file of the test, which is gone after it.
struct NpyFile {
  std::string path;

  NpyFile(std::string const& name, std::string const& bytes)
      : path((std::filesystem::temp_directory_path() / name).string()) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~NpyFile() { std::filesystem::remove(path); }
};

template <class Element>
std::string npy(char const* descr, std::vector<Element> const& elements) {
  return weir_sparsify::npy_header(descr, elements.size()) +
         std::string(reinterpret_cast<char const*>(elements.data()), elements.size() * sizeof(Element));
}

std::size_t columns(std::string const& line) {
  return 1 + static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
}

}  // namespace

TEST_CASE("a line of the table has the columns of its head") {
  TableRow row;
  row.method = "histogram";
  row.data = "laplace";
  row.size = 1000;
  row.density = 0.01;
  row.has_feedback = true;
  row.quality = 0.99;
  row.times = {0.004, 0.002, 0.003, 0.001, 0.020};
  row.bytes = 12'720;
  row.read = 0.0015;
  row.copy = 0.006;
  row.decompress = 0.0005;
  CHECK(csv_header() ==
        "method,device,data,n,rho,feedback,q,compress_ms_median,compress_ms_p95,gelem_per_s,gb_per_s,"
        "x_of_read,x_of_copy,decompress_ms");
  CHECK(csv_line(row) == "histogram,host,laplace,1000,0.01,on,0.99,3,20,0.000333333,0.00424,2,0.5,0.5");
  CHECK(columns(csv_line(row)) == columns(csv_header()));
  row.data = "a,\"b\".npy";
  CHECK(csv_line(row).find("host,\"a,\"\"b\"\".npy\",1000") != std::string::npos);
}

TEST_CASE("quantiles are times that were measured") {
  std::vector<double> times;
  for (int i = 20; i > 0; --i) times.push_back(i);
  CHECK(quantile(times, 0.5) == 10);
  CHECK(quantile(times, 0.95) == 19);
  CHECK(quantile({7.0}, 0.95) == 7);
  CHECK(quantile({}, 0.5) == 0);
}

TEST_CASE("the bytes of a selection, without and with feedback") {
  CHECK(bytes_to_move(1000, 10, false) == 4080);
  CHECK(bytes_to_move(1000, 10, true) == 12'720);
}

TEST_CASE("the quality is that of what a policy wants, whether or not there is room for it") {
  std::size_t const size = 1 << 16;
  auto const values = draw("gamma-0.3", size);
  weir::HostExecutor const executor;
  Sparsifier<weir::Exponential> cut(executor, values, 0.01);
  Sparsifier<weir::Exponential> whole(executor, values, 0.01, false, size);
  cut.run();
  whole.run();
  CHECK(cut.counts().count == 655);
  CHECK(whole.counts().count == cut.counts().wanted);
  CHECK(quality_of(cut.state().last) == doctest::Approx(4.9).epsilon(0.05));
  CHECK(quality_of(whole.state().last) == quality_of(cut.state().last));
}

TEST_CASE("vectors are drawn from the distributions that are named") {
  std::size_t const size = 100'000;
  std::vector<double> const means = {1.0, std::sqrt(2 / 3.14159265358979), 0.3, 1 / 0.7, 0.153};
  for (std::size_t i = 0; i < means.size(); ++i) {
    CAPTURE(table_distributions()[i]);
    auto const values = draw(table_distributions()[i], size);
    double sum = 0, negative = 0;
    for (float const value : values) {
      sum += std::fabs(static_cast<double>(value));
      negative += value < 0;
    }
    CHECK(sum / size == doctest::Approx(means[i]).epsilon(0.03));
    CHECK(negative / size == doctest::Approx(0.5).epsilon(0.02));
    CHECK(values == draw(table_distributions()[i], size));
  }
  CHECK(draw("unheard of", 10).empty());
}

TEST_CASE("gradients come from .npy files of every type that weir-sparsify reads") {
  std::vector<float> const expected = {1.0f, -2.5f, 0.0f, 4096.0f};
  NpyFile const floats("weir_table_f4.npy", npy("<f4", expected));
  CHECK(read_gradient(floats.path, false) == expected);
  NpyFile const doubles("weir_table_f8.npy",
                        npy("<f8", std::vector<double>(expected.begin(), expected.end())));
  CHECK(read_gradient(doubles.path, false) == expected);
  std::vector<std::uint16_t> brains;
  for (float const value : expected)
    brains.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  NpyFile const shorts("weir_table_bf.npy", npy("<u2", brains));
  CHECK(read_gradient(shorts.path, true) == expected);
  CHECK_THROWS_AS(read_gradient(shorts.path, false), weir_train::RunError);
  NpyFile const cut("weir_table_cut.npy", npy("<f4", expected).substr(0, 130));
  CHECK_THROWS_AS(read_gradient(cut.path, false), weir_train::RunError);
  CHECK_THROWS_AS(read_gradient("there is no such file.npy", false), weir_train::RunError);
}

TEST_CASE("rounds take copies in turn, more than the caches hold, each from another place on") {
  std::vector<float> first(1003);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<float>(i);
  RotatedVectors vectors(first, 40'000);
  CHECK(vectors.count() == 10);
  std::set<float const*> places;
  std::set<float> beginnings;
  for (std::size_t i = 0; i < vectors.count(); ++i) {
    float const* const values = vectors.next();
    places.insert(values);
    beginnings.insert(values[0]);
    std::vector<float> sorted(values, values + vectors.size());
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == first);
  }
  CHECK(places.size() == 10);
  CHECK(beginnings.size() == 10);
  CHECK(places.count(vectors.next()) == 1);
  CHECK(RotatedVectors(first, 1).count() == 2);
}

TEST_CASE("short vectors take no more memory than long ones, and begin everywhere") {
  for (std::size_t const size : {1u, 5u, 100u}) {
    CAPTURE(size);
    std::vector<float> first(size);
    for (std::size_t i = 0; i < size; ++i) first[i] = static_cast<float>(i);
    RotatedVectors vectors(first, 40'000);
    std::size_t const stride = (size + 15) / 16 * 16;
    CHECK(vectors.count() * stride * 4 <= 40'000 + stride * 4);
    std::set<float> beginnings;
    for (std::size_t i = 0; i < vectors.count(); ++i) beginnings.insert(vectors.next()[0]);
    CHECK(beginnings.size() == std::min(size, vectors.count()));
  }
}
