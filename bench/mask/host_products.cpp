// The three products of masked layers on a host, by turns with what a user would take instead: dense products
// of Eigen and, if libopenblas.so.0 is found, of OpenBLAS (OPENBLAS_CORETYPE chooses its kernels), and
// Eigen::SparseMatrix. One thread unless said. Each row prints times and two ratios: the speed-up over the
// faster dense product as a fraction of 1/d, which is what the mask leaves out, and over Eigen's CSR, and for
// 4096 x 4096 what they are to reach, and not to fall below. `crossover` is the density at which dense would
// be as fast, if time goes with density.
//
// Everything but what two threads do runs on the thread of a stream, as the products of a model do.
//
// Compiled for AVX2, as bench-mask-host_products_avx2 is, it measures the library's code for AVX2 on any
// processor, beside Eigen's and OpenBLAS's.
//
// One sample is measured twice: `warm`, each of the candidates right after a run of its own, and `cold`, each
// after other memory has gone through the caches. `values` is the time in which the live values alone are
// read under the same conditions, which bounds any product of one sample.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mask/avx2_products.hpp"
#include "mask/by_turns.hpp"
#include "mask/compare_products.hpp"
#include "mask/marks.hpp"
#include "support/available_memory.hpp"
#include "support/openblas.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/lambda_histogram.hpp"

namespace {

using namespace bench;

char const* const product_names[] = {"forward", "input gradient", "weight gradient"};

/// The three products of a design on data of their own.
template <class Design>
class Products {
 public:
  Products(Design const& design, std::size_t samples)
      : design_(design),
        values_(design.value_count(), 0.5f),
        gradient_(values_.size()),
        x_(random_matrix(samples, design.inputs())),
        y_(random_matrix(samples, design.outputs())) {}

  template <class Exec>
  void run(Exec const& exec, int product) {
    auto const layout = design_.layout();
    auto const samples = static_cast<std::size_t>(x_.rows());
    auto const x = weir::batch_major(x_.data(), samples, design_.inputs());
    auto const y = weir::batch_major(y_.data(), samples, design_.outputs());
    if (product == forward) multiply_masked(exec, layout, weir::view(values_), x, y);
    if (product == input_gradient) multiply_masked_transposed(exec, layout, weir::view(values_), y, x);
    if (product == weight_gradient)
      masked_weight_gradient(exec, layout, y, x, weir::view(gradient_), weir::GradientMode::overwrite);
    exec.synchronize();
  }

 private:
  Design const& design_;
  std::vector<float> values_, gradient_;
  Dense x_, y_;
};

void compare_threads(weir::GroupDesign const& design, std::size_t samples) {
  Products products(design, samples);
  weir::HostExecutor const one, two({.threads = 2});
  for (int product = 0; product < 3; ++product) {
    auto const times = by_turns({[&] { products.run(one, product); }, [&] { products.run(two, product); }});
    std::printf("two threads, %-20s n=%-3u N=%-4zu %6.2f times one", product_names[product],
                design.layout().shape.group, samples, times[0] / times[1]);
    print_mark(times[0] / times[1], Mark{1.8, 2 * 0.85});
    std::printf("\n");
  }
}

/// A line of three times in milliseconds, for peers.py.
template <class Design>
void print_times(Design const& design, std::size_t samples) {
  Products products(design, samples);
  on_stream([&](Executor const& exec) {
    for (int product = 0; product < 3; ++product)
      std::printf("%.6f ", 1e3 * by_turns({[&] { products.run(exec, product); }})[0]);
  });
  std::printf("\n");
}

/// Paley's design of a prime.
weir::CyclicDesign paley_design(std::uint32_t prime) {
  std::vector<std::uint32_t> squares;
  for (std::uint32_t root = 1; 2 * root < prime; ++root) squares.push_back(root * root % prime);
  std::sort(squares.begin(), squares.end());
  return {prime, std::move(squares)};
}

/// A cyclic design by turns with a group design of about its side and density: times per entry.
void compare_cyclic(Executor const& exec, std::string const& name, weir::CyclicDesign const& cyclic,
                    weir::GroupDesign const& group, std::size_t samples) {
  Products ours(cyclic, samples);
  Products of_group(group, samples);
  double const entries = static_cast<double>(cyclic.nnz()) / static_cast<double>(group.nnz());
  for (int product = 0; product < 3; ++product) {
    auto const times = by_turns({[&] { ours.run(exec, product); }, [&] { of_group.run(exec, product); }});
    std::printf("%-10s %-16s N=%-4zu %9.3f ms, %5.2f times a group design's time per entry\n", name.c_str(),
                product_names[product], samples, times[0] * 1e3, times[0] / times[1] / entries);
  }
}

weir::TiledDesign<weir::GroupDesign> tiles(std::size_t outputs, std::size_t inputs, std::uint32_t block,
                                           std::uint32_t n) {
  weir::GroupDesign grid{
      {.outputs = (outputs + block - 1) / block, .inputs = (inputs + block - 1) / block, .group = n}};
  return {std::move(grid), outputs, inputs, block};
}

/// The time to make the tables, and to count how often inputs meet.
void report_construction() {
  struct {
    std::size_t side;
    double goal;  // milliseconds
    std::uint32_t n;
  } const members[] = {{4096, 10, 2},   {4096, 10, 3},   {4096, 10, 64},   {16384, 100, 2},  {16384, 100, 3},
                       {16384, 100, 4}, {16384, 100, 9}, {16384, 100, 16}, {16384, 100, 128}};
  for (auto const& member : members) {
    std::size_t bytes = 0;
    double const time =
        1e3 * by_turns({[&] {
          weir::GroupDesign const design{{.outputs = member.side, .inputs = member.side, .group = member.n}};
          bytes = design.layout().table_bytes();
        }})[0];
    std::printf("tables of %zu x %zu, n=%-3u %8.2f ms, %zu KiB (goal %.0f ms: %s)\n", member.side,
                member.side, member.n, time, bytes / 1024, member.goal, time < member.goal ? "yes" : "NO");
  }
  weir::GroupDesign const half{{.outputs = 4096, .inputs = 4096, .group = 2}};
  auto const begin = std::chrono::steady_clock::now();
  std::size_t const values = weir::lambda_histogram(half).size();
  double const time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("how often 4096 inputs meet, d=1/2: %.2f s, %zu values (a few seconds are allowed)\n", time,
              values);
}

void compare_4096(bool quick, OpenBlas::Sgemm sgemm) {
  std::size_t const side = 4096;
  for (std::uint32_t n : {4u, 8u, 16u, 64u}) {
    if (quick && n == 8) continue;
    weir::GroupDesign const design{{.outputs = side, .inputs = side, .group = n}};
    for (Caches const caches : {Caches::warm, Caches::cold})
      compare("elements", design, 1, !quick, sgemm, false, caches);
    for (std::size_t samples : {64u, 256u}) compare("elements", design, samples, !quick, sgemm);
  }
  weir::ProjectiveGeometry const plane(61);
  weir::CyclicDesign const paley = paley_design(1019);
  for (Caches const caches : {Caches::warm, Caches::cold})
    compare("PG(2,61)", plane, 1, !quick, sgemm, false, caches);
  for (std::size_t samples : {64u, 256u}) compare("PG(2,61)", plane, samples, !quick, sgemm);
  weir::GroupDesign const like_plane{{.outputs = 3776, .inputs = 3776, .group = 64}};
  weir::GroupDesign const like_paley{{.outputs = 1018, .inputs = 1018, .group = 2}};
  on_stream([&](Executor const& exec) {
    for (std::size_t samples : {1u, 8u, 64u, 256u}) {
      compare_cyclic(exec, "PG(2,61)", plane, like_plane, samples);
      compare_cyclic(exec, "Paley 1019", paley, like_paley, samples);
    }
  });
  for (std::uint32_t block : {64u, 128u}) {
    for (std::uint32_t n : {4u, 8u, 16u}) {
      auto const design = tiles(side, side, block, n);
      for (std::size_t samples : {64u, 256u})
        compare("tiles of " + std::to_string(block), design, samples, false, sgemm, true);
    }
  }
  for (std::uint32_t n : {4u, 8u, 16u, 64u}) {
    weir::GroupDesign const design{{.outputs = side, .inputs = side, .group = n}};
    on_stream([&](Executor const& exec) {
      for (std::size_t samples : {64u, 256u}) compare_feature_major(exec, design, samples);
    });
    // Threads take the widest vectors that the processor has.
    if (std::is_same_v<Executor, weir::HostExecutor>) compare_threads(design, 256);
  }
  report_construction();
}

/// Single entries and tiles of any size. What does not fit the memory is left out.
void compare_size(std::size_t outputs, std::size_t inputs, OpenBlas::Sgemm sgemm) {
  std::string const name = std::to_string(outputs) + " x " + std::to_string(inputs);
  double const positions = static_cast<double>(outputs) * static_cast<double>(inputs);
  for (std::uint32_t n : {4u, 16u, 64u}) {
    if (n > std::min(outputs, inputs)) continue;
    double const nnz = positions / n;
    bool const with_sparse = nnz <= 1 << 24;
    double const needed = 4 * (2 * positions + 2 * nnz + 2048.0 * static_cast<double>(outputs + inputs)) +
                          (with_sparse ? 40 * nnz : 0);
    if (needed > 0.9 * available_memory()) {
      std::printf("%s, n=%u: left out, it needs %.1f GiB\n", name.c_str(), n, needed / (1 << 30));
      continue;
    }
    weir::GroupDesign const design{{.outputs = outputs, .inputs = inputs, .group = n}};
    compare(name, design, 1, with_sparse, sgemm, false, Caches::cold);
    for (std::size_t samples : {64u, 256u})
      compare(name, design, samples, samples == 64 && with_sparse, sgemm);
    if (n == 64 || n * 64 > std::min(outputs, inputs)) continue;
    for (std::size_t samples : {64u, 256u})
      compare(name + ", tiles of 64", tiles(outputs, inputs, 64, n), samples, false, sgemm, true);
  }
}

}  // namespace

/// `bench-mask-host_products [quick | sizes | OUTPUTSxINPUTS .. | times ORDER BLOCK SAMPLES]`: masks of 4096
/// x 4096, fewer of them, masks of other sizes, of those that are given, the products of one mask alone
int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::erase_if(words, [](std::string const& word) { return word.starts_with("--benchmark_"); });
  std::string const mode = words.empty() ? "" : words[0];
  if (mode == "times") {
    if (words.size() != 4) {
      std::fprintf(stderr, "bench-mask-host_products times ORDER BLOCK SAMPLES\n");
      return 2;
    }
    std::size_t const side = 4096;
    auto const n = static_cast<std::uint32_t>(std::stoul(words[1]));
    auto const block = static_cast<std::uint32_t>(std::stoul(words[2]));
    std::size_t const samples = std::stoul(words[3]);
    if (block == 1) {
      print_times(weir::GroupDesign{{.outputs = side, .inputs = side, .group = n}}, samples);
    } else {
      print_times(tiles(side, side, block, n), samples);
    }
    return 0;
  }
  if (measures_avx2()) {
    std::printf("by vectors of AVX2\n");
    setenv("OPENBLAS_CORETYPE", "Haswell", 0);
  }
  OpenBlas const openblas = OpenBlas::find();
  OpenBlas::Sgemm const sgemm = openblas.sgemm;
  if (sgemm) std::printf("OpenBLAS kernels: %s\n", openblas.kernels);
  if (mode == "" || mode == "quick") {
    compare_4096(mode == "quick", sgemm);
    return 0;
  }
  if (mode == "sizes") words = {"1024x1024", "11008x4096", "4000x3900", "16384x16384"};
  for (std::string const& word : words) {
    std::size_t outputs = 0, inputs = 0;
    if (std::sscanf(word.c_str(), "%zux%zu", &outputs, &inputs) != 2 || outputs < 4 || inputs < 4) {
      std::fprintf(stderr, "%s: quick, sizes, times, or OUTPUTSxINPUTS of at least 4 would be right\n",
                   word.c_str());
      return 2;
    }
    compare_size(outputs, inputs, sgemm);
  }
}
