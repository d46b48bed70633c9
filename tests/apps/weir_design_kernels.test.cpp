#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "sparsify_files.hpp"
#include "weir/core/half.hpp"

namespace {

using weir_test::bytes_of;
using weir_test::dictionary;
using weir_test::Json;
using weir_test::npy;

/// A matrix of doubles, row by row.
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> numbers = std::vector<double>(rows * columns);

  double& operator()(std::size_t row, std::size_t column) { return numbers[row * columns + column]; }
  double operator()(std::size_t row, std::size_t column) const { return numbers[row * columns + column]; }
};

std::string shape_of(Matrix const& matrix) {
  return std::to_string(matrix.rows) + ", " + std::to_string(matrix.columns);
}

/// Quarters from -2 to 2, of which 16-bit numbers are exact, and so are their sums in 32 bits.
Matrix quarters(std::size_t rows, std::size_t columns, std::size_t step) {
  Matrix matrix{rows, columns};
  for (std::size_t i = 0; i < matrix.numbers.size(); ++i)
    matrix.numbers[i] = static_cast<double>(i * step % 17) / 4 - 2;
  return matrix;
}

template <class Number>
std::string npy_of(std::string const& descr, Matrix const& matrix) {
  std::vector<Number> numbers;
  for (double const number : matrix.numbers) numbers.push_back(Number(static_cast<float>(number)));
  return npy(dictionary(descr, shape_of(matrix)), bytes_of(numbers));
}

template <class Number>
Matrix read(std::string const& path, std::string const& descr, Matrix const& like) {
  std::string const bytes = content(path);
  REQUIRE(bytes.size() >= 64);
  CHECK(bytes.find(dictionary(descr, shape_of(like))) == 10);
  Matrix matrix{like.rows, like.columns};
  std::size_t const size = matrix.numbers.size();
  REQUIRE(bytes.size() == bytes.find('\n') + 1 + size * sizeof(Number));
  std::vector<Number> numbers(size);
  if (size != 0) std::memcpy(numbers.data(), bytes.data() + bytes.find('\n') + 1, size * sizeof(Number));
  for (std::size_t i = 0; i < size; ++i)
    matrix.numbers[i] = static_cast<double>(static_cast<float>(numbers[i]));
  return matrix;
}

/// The largest difference, in units of the larger of 1 and the number that is right.
double distance(Matrix const& a, Matrix const& right) {
  double worst = 0;
  for (std::size_t i = 0; i < right.numbers.size(); ++i) {
    double const difference = std::abs(a.numbers[i] - right.numbers[i]);
    worst = std::max(worst, difference / std::max(1.0, std::abs(right.numbers[i])));
    if (!std::isfinite(a.numbers[i])) worst = std::numeric_limits<double>::infinity();
  }
  return worst;
}

/// Files of one shape, and what the program should make of them.
struct Case : TemporaryFolder {
  Case(std::string const& design, std::size_t outputs, std::size_t inputs, std::size_t samples)
      : options(design + " --outputs " + std::to_string(outputs) + " --inputs " + std::to_string(inputs)),
        w(quarters(outputs, inputs, 7)),
        x(quarters(samples, inputs, 5)),
        dy(quarters(samples, outputs, 3)),
        y{samples, outputs},
        dx{samples, inputs},
        dw{outputs, inputs} {
    run_program("weir-design", options + " --matrix " + *this / "m");
    std::string const mask = content(*this / "m");
    REQUIRE(mask.size() > outputs * inputs);
    std::size_t const header = mask.size() - outputs * inputs;
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        if (mask[header + o * inputs + i] == 0) {
          // Nobody may read it.
          w(o, i) = std::numeric_limits<double>::quiet_NaN();
          continue;
        }
        for (std::size_t s = 0; s < samples; ++s) {
          y(s, o) += w(o, i) * x(s, i);
          dx(s, i) += dy(s, o) * w(o, i);
          dw(o, i) += dy(s, o) * x(s, i);
        }
      }
    }
  }

  template <class Number>
  void write_inputs(std::string const& descr) const {
    write(*this / "w", npy_of<Number>(descr, w));
    write(*this / "x", npy_of<Number>(descr, x));
    write(*this / "dy", npy_of<Number>(descr, dy));
  }

  std::string forward() const {
    return options + " --values " + *this / "w" + " --multiply " + *this / "x" + " --result " + *this / "y";
  }
  std::string all() const {
    return forward() + " --gradient " + *this / "dy" + " --input-gradient " + *this / "dx" +
           " --weight-gradient " + *this / "dw";
  }

  template <class Number, class Sum>
  void check(std::string const& descr, std::string const& sum_descr, double tolerance) const {
    CHECK(distance(read<Number>(*this / "y", descr, y), y) <= tolerance);
    CHECK(distance(read<Number>(*this / "dx", descr, dx), dx) <= tolerance);
    CHECK(distance(read<Sum>(*this / "dw", sum_descr, dw), dw) == 0);
  }

  std::string options;
  Matrix w, x, dy, y, dx, dw;
};

Json answer(std::string const& arguments) {
  CAPTURE(arguments);
  ProgramResult const result = run_program("weir-design", "--report json " + arguments);
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK(result.error.empty());
  return Json::parse(result.out);
}

void check_refused(std::string const& arguments, int status, std::initializer_list<std::string> texts) {
  CAPTURE(arguments);
  ProgramResult const result = run_program("weir-design", arguments);
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

TEST_CASE(
    "weir-design: the kernels give the products of the dense matrix with zeros, for designs of all forms") {
  for (std::string const options :
       {"--density 0.25", "--density 0.3 --seed 4", "--family random --density 0.2", "--block-size 8",
        "--family complement-of:random-biregular --density 0.8"}) {
    for (std::size_t const samples : {1u, 9u, 64u}) {
      CAPTURE(options);
      CAPTURE(samples);
      Case const c(options, 44, 37, samples);
      c.write_inputs<float>("<f4");
      Json const report = answer(c.all());
      CHECK(report["seconds_multiply"] > 0);
      CHECK(report["seconds_input_gradient"] > 0);
      CHECK(report["seconds_weight_gradient"] > 0);
      CHECK(report["nnz"].is_number_unsigned());
      c.check<float, float>("<f4", "<f4", 0);
    }
  }
  Case const cyclic("--family projective-plane --order 4", 21, 21, 5);
  cyclic.write_inputs<float>("<f4");
  answer(cyclic.all());
  cyclic.check<float, float>("<f4", "<f4", 0);
}

TEST_CASE("weir-design: the kernels in each type, from files of any") {
  Case const c("--density 0.25", 48, 64, 10);
  c.write_inputs<double>("<f8");
  answer(c.all() + " --type fp64 --threads 1");
  c.check<double, double>("<f8", "<f8", 0);
  answer(c.all() + " --type fp16");
  c.check<weir::half, float>("<f2", "<f4", 1e-3);
  answer(c.all() + " --type bf16");
  c.check<float, float>("<f4", "<f4", 8e-3);
  c.write_inputs<weir::half>("<f2");
  answer(c.all());
  c.check<float, float>("<f4", "<f4", 0);
  c.write_inputs<weir::bfloat16>("<u2");
  answer(c.all() + " --type bf16");
  c.check<weir::bfloat16, float>("<u2", "<f4", 8e-3);
}

TEST_CASE("weir-design: the golden products, gradients that are not asked for, and no samples") {
  Case const c("--family hadamard-group --order 2", 4, 4, 1);
  // Row by row, its columns ascending, where storage has pairs of a cell.
  double const storage[4][4] = {{1, 0, 3, 0}, {0, 2, 0, 4}, {5, 0, 0, 7}, {0, 6, 8, 0}};
  Matrix w{4, 4}, x{1, 4, {1, 2, 3, 4}};
  for (std::size_t i = 0; i < 16; ++i) w.numbers[i] = storage[i / 4][i % 4];
  write(c / "w", npy_of<float>("<f4", w));
  write(c / "x", npy_of<float>("<f4", x));
  write(c / "dy", npy_of<float>("<f4", Matrix{1, 4, {1, 1, 1, 1}}));
  Json const forward = answer(c.forward());
  CHECK(read<float>(c / "y", "<f4", x).numbers == std::vector<double>{10, 20, 33, 36});
  CHECK(forward["seconds_input_gradient"].is_null());
  CHECK(forward["seconds_weight_gradient"].is_null());
  CHECK(c.files() == 5);
  answer(c.forward() + " --gradient " + c / "dy" + " --input-gradient " + c / "dx");
  CHECK(read<float>(c / "dx", "<f4", x).numbers == std::vector<double>{6, 8, 11, 11});
  CHECK(run_program("weir-design", c.all()).out.find("weight gradient [s]") != std::string::npos);
  CHECK(read<float>(c / "dw", "<f4", w).numbers ==
        std::vector<double>{1, 0, 3, 0, 0, 2, 0, 4, 1, 0, 0, 4, 0, 2, 3, 0});
  Case const none("--density 0.5", 8, 8, 0);
  none.write_inputs<float>("<f4");
  answer(none.all());
  none.check<float, float>("<f4", "<f4", 0);
}

TEST_CASE("weir-design: kernels that cannot run are refused by one line, and nothing is written") {
  Case const c("--density 0.5", 8, 6, 3);
  c.write_inputs<float>("<f4");
  std::size_t const files = c.files();
  std::string const w = c / "w", x = c / "x", dy = c / "dy", y = c / "y";
  std::string const shape = "--outputs 8 --inputs 6 ";
  check_refused(shape + "--multiply " + x + " --result " + y, 2, {"--values", "missing"});
  check_refused(shape + "--values " + w + " --result " + y, 2, {"--multiply", "missing"});
  check_refused(shape + "--values " + w + " --multiply " + x, 2, {"--result", "missing"});
  check_refused(shape + "--type fp32", 2, {"--values", "missing"});
  check_refused(c.forward() + " --input-gradient " + c / "dx", 2, {"--gradient", "--input-gradient"});
  check_refused(c.forward() + " --gradient " + dy, 2, {"--gradient", "--weight-gradient"});
  check_refused(c.all() + " --type fp8", 2, {"--type fp8", "fp64, fp32, bf16 or fp16"});
  if (WEIR_PROGRAMS_HAVE_KERNELS) {  // and no device is visible, so that there is none
    ProgramResult const without_gpu =
        run_command("CUDA_VISIBLE_DEVICES= " WEIR_PROGRAM_DIR "/weir-design " + c.all() + " --device cuda");
    CHECK(without_gpu.status == 1);
    CHECK(without_gpu.error.find("--device cuda: no GPU") != std::string::npos);
  } else {
    check_refused(c.all() + " --device cuda", 2, {"--device cuda", "without CUDA", "--device host"});
  }
  check_refused(c.all() + " --device tpu", 2, {"--device tpu", "host or cuda"});
  check_refused("--table mlp --values " + w, 2, {"--values", "--table"});
  check_refused(shape + "--values '' --multiply " + x + " --result " + y, 2, {"--values"});
  auto const with = [&](char const* name, std::string const& bytes,
                        std::initializer_list<std::string> texts) {
    std::string const before = content(c / name);
    write(c / name, bytes);
    check_refused(c.all(), 1, texts);
    write(c / name, before);
  };
  with("w", npy_of<float>("<f4", quarters(6, 8, 1)), {w, "6 x 8", "transpose", "8 x 6", "outputs x inputs"});
  with("w", npy_of<float>("<f4", quarters(8, 5, 1)), {w, "8 x 5", "8 x 6"});
  with("x", npy_of<float>("<f4", quarters(6, 3, 1)), {x, "6 x 3", "transpose", "3 x 6"});
  with("x", npy_of<float>("<f4", quarters(3, 7, 1)), {x, "3 x 7", "3 x 6", "samples x inputs"});
  with("dy", npy_of<float>("<f4", quarters(8, 3, 1)), {dy, "8 x 3", "transpose", "3 x 8"});
  with("dy", npy_of<float>("<f4", quarters(4, 8, 1)), {dy, "4 x 8", "3 x 8", "samples x outputs"});
  with("x", npy("<f4", std::vector<float>(18)), {x, "1 dimension", "matrix"});
  with("x", npy_of<weir::bfloat16>("<u2", c.x), {x, "<u2"});
  with("x", "no array", {x, "would be right"});
  with("x", content(x).substr(0, 100), {x, "would be right"});
  check_refused(c.forward() + "/none/y", 1, {"none/y", "would be right"});
  check_refused(
      "--density 0.5 --outputs 8 --inputs 6 --values " + (c / "none") + " --multiply " + x + " --result " + y,
      1, {c / "none", "cannot be read"});
  CHECK(c.files() == files);
}
