// weir-design on a GPU, as it is called, beside the host; skipped where there is none.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sparsify_files.hpp"
#include "support/worst_error.hpp"
#include "weir/core/half.hpp"

namespace {

std::string matrix(std::size_t rows, std::size_t columns, std::size_t step) {
  std::vector<float> numbers;
  for (std::size_t i = 0; i < rows * columns; ++i)
    numbers.push_back(static_cast<float>(i * step % 17) / 4 - 2);
  return weir_test::npy(weir_test::dictionary("<f4", std::to_string(rows) + ", " + std::to_string(columns)),
                        weir_test::bytes_of(numbers));
}

/// The numbers of a file, of one of the types that the program writes here.
std::vector<double> numbers_of(std::string const& path) {
  std::string const bytes = content(path);
  std::size_t const header = bytes.find('\n') + 1;
  REQUIRE(header > 60);
  bool const is_double = bytes.find("<f8") < header, is_half = bytes.find("<f2") < header;
  std::vector<double> numbers;
  for (std::size_t at = header; at < bytes.size(); at += is_double ? 8 : is_half ? 2 : 4) {
    double wide = 0;
    float narrow = 0;
    std::uint16_t bits = 0;
    if (is_double) std::memcpy(&wide, bytes.data() + at, 8);
    if (is_half) std::memcpy(&bits, bytes.data() + at, 2);
    if (!is_double && !is_half) std::memcpy(&narrow, bytes.data() + at, 4);
    numbers.push_back(is_double ? wide
                      : is_half ? static_cast<double>(static_cast<float>(weir::half::from_bits(bits)))
                                : static_cast<double>(narrow));
  }
  return numbers;
}

}  // namespace

TEST_CASE("weir-design on a GPU gives the products of the host, in each type and for designs of all forms") {
  constexpr std::size_t outputs = 192, inputs = 128;
  for (std::string const design :
       {"--density 0.125", "--density 0.3 --seed 4", "--family random --density 0.2",
        "--block-size 32 --density 0.25", "--block-size 64 --density 0.5"}) {
    for (std::string const type : {"fp32", "fp64", "bf16", "fp16"}) {
      for (std::size_t const samples : {1u, 9u, 64u}) {
        CAPTURE(design);
        CAPTURE(type);
        CAPTURE(samples);
        TemporaryFolder const folder;
        write(folder / "w", matrix(outputs, inputs, 7));
        write(folder / "x", matrix(samples, inputs, 5));
        write(folder / "dy", matrix(samples, outputs, 3));
        auto const run = [&](std::string const& device) {
          ProgramResult const result = run_program(
              "weir-design", design + " --outputs 192 --inputs 128 --type " + type + " --device " + device +
                                 " --values " + (folder / "w") + " --multiply " + (folder / "x") +
                                 " --gradient " + (folder / "dy") + " --result " + (folder / device + "y") +
                                 " --input-gradient " + (folder / device + "dx") + " --weight-gradient " +
                                 (folder / device + "dw"));
          INFO(result.error);
          REQUIRE(result.status == 0);
        };
        run("host");
        run("cuda");
        double const tolerance = type == "bf16" ? 1e-2 : type == "fp16" ? 2e-3 : 1e-5;
        for (char const* name : {"y", "dx", "dw"}) {
          auto const host = numbers_of(folder / "host" + name), gpu = numbers_of(folder / "cuda" + name);
          REQUIRE(host.size() == gpu.size());
          double worst = 0;
          for (std::size_t i = 0; i < host.size(); ++i) {
            double const error = std::abs(host[i] - gpu[i]) / std::max(1.0, std::abs(host[i]));
            worst = weir_test::worst_error(worst, error);
          }
          CHECK(worst <= tolerance);
        }
      }
    }
  }
}
