// The three products of masked layers on a host, by turns with what a user would take instead: dense products
// of Eigen and, if libopenblas.so.0 is found, of OpenBLAS (OPENBLAS_CORETYPE chooses its kernels), and
// Eigen::SparseMatrix. One thread unless said. Each row prints times and two ratios: the speed-up over the
// faster dense product as a fraction of 1/d, which is what the mask leaves out, and over Eigen's CSR.
// `crossover` is the density at which dense would be as fast, if time goes with density. Goals are those of
// the widest vectors that the processor has.
//
// One sample is measured twice: `warm`, each of the candidates right after a run of its own, and `cold`, each
// after other memory has gone through the caches. `values` is the time in which the live values alone are
// read under the same conditions, which bounds any product of one sample.
#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/openblas.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<float, Eigen::RowMajor>;
/// What the caches hold when a candidate begins.
enum class Caches { as_left, warm, cold };

char const* name_of(Caches caches) {
  return caches == Caches::warm ? ", warm" : caches == Caches::cold ? ", cold" : "";
}

std::uint64_t volatile sink;

/// Reads words as fast as they come.
void read_all(void const* memory, std::size_t bytes) {
  auto const* const words = static_cast<char const*>(memory);
  std::uint64_t sums[32] = {};
  std::size_t at = 0;
  for (; at + sizeof sums <= bytes; at += sizeof sums) {
    std::uint64_t block[32];
    std::memcpy(block, words + at, sizeof block);
    for (int i = 0; i < 32; ++i) sums[i] += block[i];
  }
  std::uint64_t sum = 0;
  for (std::uint64_t const part : sums) sum += part;
  sink = sum;
}

void prepare(Caches caches, std::function<void()> const& candidate) {
  static std::vector<char> const other(std::size_t{256} << 20, 1);
  if (caches == Caches::warm) candidate();
  if (caches == Caches::cold) read_all(other.data(), other.size());
}

/// The best time of each, taken by turns. Units: seconds.
std::vector<double> by_turns(std::vector<std::function<void()>> const& candidates,
                             Caches caches = Caches::as_left) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
  double spent = 0;
  for (int turn = 0; turn < 3 || (turn < 40 && spent < 0.4); ++turn) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!candidates[i]) continue;
      prepare(caches, candidates[i]);
      auto const begin = Clock::now();
      candidates[i]();
      double const time = std::chrono::duration<double>(Clock::now() - begin).count();
      best[i] = std::min(best[i], time);
      spent += time;
    }
  }
  return best;
}

Dense random_matrix(std::size_t rows, std::size_t columns) {
  return Dense::Random(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
}

template <class Design>
Sparse sparse_of(Design const& design, std::vector<float> const& values) {
  std::vector<Eigen::Triplet<float>> entries;
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    for (std::size_t slot = 0; slot < design.row_degree(row); ++slot) {
      entries.emplace_back(static_cast<int>(row), static_cast<int>(design.column(row, slot)),
                           values[design.value_index(row, slot)]);
    }
  }
  Sparse matrix(static_cast<Eigen::Index>(design.outputs()), static_cast<Eigen::Index>(design.inputs()));
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

/// What a row is held to, 0 for nothing: the speed-up over dense as a fraction of 1/d, and that over Eigen's
/// CSR.
struct Goals {
  double dense = 0;
  double sparse = 0;
};

/// By what vectors the processor has.
Goals goals(Goals wide, Goals narrow) {
  return weir::detail::has_avx512() ? wide : narrow;
}

void print_goal(double value, double goal) {
  if (goal > 0) std::printf(" (goal %.2f: %s)", goal, value >= goal ? "yes" : "NO");
}

void report(std::string const& name, double density, std::size_t samples, double ours, double dense,
            double sparse, Goals const& goal, double values = 0) {
  std::printf("%-42s d=1/%-3.0f N=%-4zu %9.3f ms", name.c_str(), 1 / density, samples, ours * 1e3);
  if (dense > 0) {
    double const fraction = dense / ours * density;
    std::printf("  dense %8.3f ms  %5.2f/d", dense * 1e3, fraction);
    print_goal(fraction, goal.dense);
    std::printf("  crossover %.2f", std::min(1.0, fraction));
  }
  if (sparse > 0) {
    std::printf("  Eigen CSR %9.3f ms %6.1fx", sparse * 1e3, sparse / ours);
    print_goal(sparse / ours, goal.sparse);
  }
  if (values > 0) std::printf("  values %.3f ms, %.0f %% of the bound", values * 1e3, 100 * values / ours);
  std::printf("\n");
  std::fflush(stdout);
}

template <class Design>
void compare(std::string const& kind, Design const& design, std::size_t samples, bool with_sparse,
             OpenBlas::Sgemm sgemm, bool is_tiled = false, Caches caches = Caches::as_left) {
  std::string const after = name_of(caches);
  weir::HostExecutor const exec;
  auto const layout = design.layout();
  std::size_t const inputs = design.inputs(), outputs = design.outputs();
  double const density =
      static_cast<double>(design.nnz()) / static_cast<double>(inputs) / static_cast<double>(outputs);
  int const n = static_cast<int>(samples), in = static_cast<int>(inputs), out = static_cast<int>(outputs);
  std::vector<float> values(design.value_count());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17) - 8;
  Sparse const csr = with_sparse ? sparse_of(design, values) : Sparse();
  Sparse const csr_transposed = csr.transpose();
  Dense const weights = random_matrix(outputs, inputs), x = random_matrix(samples, inputs),
              dy = random_matrix(samples, outputs);
  Dense y = dy, dx = x, gradient = weights, sparse_y = dy, sparse_dx = x;
  std::vector<float> live_gradient(values.size());
  auto const batch = [](auto& matrix) {
    return weir::batch_major(matrix.data(), static_cast<std::size_t>(matrix.rows()),
                             static_cast<std::size_t>(matrix.cols()));
  };
  double const none = std::numeric_limits<double>::infinity();

  auto times = by_turns(
      {[&] {
         multiply_masked(exec, layout, weir::view(values), batch(x), batch(y));
         exec.synchronize();
       },
       [&] { y.noalias() = x * weights.transpose(); },
       [&] {
         if (sgemm)
           sgemm(OpenBlas::row_major, OpenBlas::no_transpose, OpenBlas::transpose, n, out, in, 1, x.data(),
                 in, weights.data(), in, 0, y.data(), out);
       },
       with_sparse ? std::function<void()>([&] { sparse_y.transpose().noalias() = csr * x.transpose(); })
                   : nullptr,
       caches == Caches::as_left ? nullptr : std::function<void()>([&] {
         read_all(values.data(), values.size() * sizeof(float));
       })},
      caches);
  if (!sgemm) times[2] = none;
  bool const is_one = samples == 1;
  Goals const of_tiles = goals({1.0, 0}, {0.9, 0});
  Goals const of_one = density <= 1.0 / 16 ? goals({1.5, 5}, {1, 3}) : Goals{};
  report(kind + " forward" + after, density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0,
         is_tiled ? of_tiles
         : is_one ? of_one
                  : goals({0.4, 10}, {0.2, 5}),
         caches == Caches::as_left ? 0 : times[4]);

  times = by_turns({[&] {
                      multiply_masked_transposed(exec, layout, weir::view(values), batch(dy), batch(dx));
                      exec.synchronize();
                    },
                    [&] { dx.noalias() = dy * weights; },
                    [&] {
                      if (sgemm)
                        sgemm(OpenBlas::row_major, OpenBlas::no_transpose, OpenBlas::no_transpose, n, in, out,
                              1, dy.data(), out, weights.data(), in, 0, dx.data(), in);
                    },
                    with_sparse ? std::function<void()>([&] {
                      sparse_dx.transpose().noalias() = csr_transposed * dy.transpose();
                    })
                                : nullptr,
                    caches == Caches::as_left ? nullptr : std::function<void()>([&] {
                      read_all(values.data(), values.size() * sizeof(float));
                    })},
                   caches);
  if (!sgemm) times[2] = none;
  report(kind + " input gradient" + after, density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0,
         is_tiled ? of_tiles
         : is_one ? Goals{}
                  : goals({0.3, 8}, {0.15, 4}),
         caches == Caches::as_left ? 0 : times[4]);

  times = by_turns({[&] {
                      masked_weight_gradient(exec, layout, batch(dy), batch(x), weir::view(live_gradient),
                                             weir::GradientMode::overwrite);
                      exec.synchronize();
                    },
                    [&] { gradient.noalias() = dy.transpose() * x; },
                    [&] {
                      if (sgemm)
                        sgemm(OpenBlas::row_major, OpenBlas::transpose, OpenBlas::no_transpose, out, in, n, 1,
                              dy.data(), out, x.data(), in, 0, gradient.data(), in);
                    }},
                   caches);
  if (!sgemm) times[2] = none;
  report(kind + " weight gradient" + after, density, samples, times[0], std::min(times[1], times[2]), 0,
         is_tiled ? of_tiles
         : is_one ? Goals{}
                  : goals({0.25, 0}, {0.15, 0}));
}

/// Samples of a feature side by side, as Eigen's CSR likes them.
void compare_feature_major(weir::GroupDesign const& design, std::size_t samples) {
  weir::HostExecutor const exec;
  auto const layout = design.layout();
  std::vector<float> values(design.value_count(), 0.5f);
  Sparse const csr = sparse_of(design, values);
  Dense const x = random_matrix(design.inputs(), samples);
  Dense y = random_matrix(design.outputs(), samples), sparse_y = y;
  auto const times = by_turns({[&] {
                                 multiply_masked(exec, layout, weir::view(values),
                                                 weir::feature_major(x.data(), samples, design.inputs()),
                                                 weir::feature_major(y.data(), samples, design.outputs()));
                                 exec.synchronize();
                               },
                               [&] { sparse_y.noalias() = csr * x; }});
  report("feature-major forward", static_cast<double>(design.nnz()) / 4096 / 4096, samples, times[0], 0,
         times[1], goals({0, 1.5}, {0, 1.2}));
}

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

  void run(weir::HostExecutor const& exec, int product) {
    auto const layout = design_.layout();
    auto const samples = static_cast<std::size_t>(x_.rows());
    auto const x = weir::batch_major(x_.data(), samples, design_.inputs());
    auto const y = weir::batch_major(y_.data(), samples, design_.outputs());
    if (product == 0) multiply_masked(exec, layout, weir::view(values_), x, y);
    if (product == 1) multiply_masked_transposed(exec, layout, weir::view(values_), y, x);
    if (product == 2)
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
    print_goal(times[0] / times[1], 2 * 0.85);
    std::printf("\n");
  }
}

/// A line of three times in milliseconds, for peers.py.
template <class Design>
void print_times(Design const& design, std::size_t samples) {
  Products products(design, samples);
  weir::HostExecutor const exec;
  for (int product = 0; product < 3; ++product)
    std::printf("%.6f ", 1e3 * by_turns({[&] { products.run(exec, product); }})[0]);
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
void compare_cyclic(std::string const& name, weir::CyclicDesign const& cyclic, weir::GroupDesign const& group,
                    std::size_t samples) {
  weir::HostExecutor const exec;
  Products ours(cyclic, samples);
  Products of_group(group, samples);
  double const entries = static_cast<double>(cyclic.nnz()) / static_cast<double>(group.nnz());
  for (int product = 0; product < 3; ++product) {
    auto const times = by_turns({[&] { ours.run(exec, product); }, [&] { of_group.run(exec, product); }});
    std::printf("%-10s %-16s N=%-4zu %9.3f ms, %5.2f times a group design's time per entry\n", name.c_str(),
                product_names[product], samples, times[0] * 1e3, times[0] / times[1] / entries);
  }
}

}  // namespace

/// `bench-mask-host_products [quick | times ORDER BLOCK SAMPLES]`, the latter of one mask alone
int main(int argc, char** argv) {
  std::string const mode = argc > 1 ? argv[1] : "";
  bool const quick = mode == "quick";
  std::size_t const side = 4096;
  if (mode == "times") {
    if (argc != 5) {
      std::fprintf(stderr, "bench-mask-host_products times ORDER BLOCK SAMPLES\n");
      return 2;
    }
    auto const n = static_cast<std::uint32_t>(std::stoul(argv[2]));
    auto const block = static_cast<std::uint32_t>(std::stoul(argv[3]));
    std::size_t const samples = std::stoul(argv[4]);
    weir::GroupDesign const grid{{.outputs = side / block, .inputs = side / block, .group = n}};
    if (block == 1) {
      print_times(grid, samples);
    } else {
      print_times(weir::TiledDesign(grid, side, side, block), samples);
    }
    return 0;
  }
  OpenBlas const openblas = OpenBlas::find();
  OpenBlas::Sgemm const sgemm = openblas.sgemm;
  if (sgemm) std::printf("OpenBLAS kernels: %s\n", openblas.kernels);
  for (std::uint32_t n : {4u, 8u, 16u, 64u}) {
    if (quick && n == 8) continue;
    weir::GroupDesign const design{{.outputs = side, .inputs = side, .group = n}};
    for (Caches const caches : {Caches::warm, Caches::cold})
      compare("elements", design, 1, !quick, sgemm, false, caches);
    for (std::size_t samples : {64u, 256u})
      compare("elements", design, samples, samples != 256 && !quick, sgemm);
  }
  weir::ProjectiveGeometry const plane(61);
  weir::CyclicDesign const paley = paley_design(1019);
  for (Caches const caches : {Caches::warm, Caches::cold})
    compare("PG(2,61)", plane, 1, !quick, sgemm, false, caches);
  for (std::size_t samples : {64u, 256u})
    compare("PG(2,61)", plane, samples, samples != 256 && !quick, sgemm);
  for (std::size_t samples : {1u, 8u, 64u, 256u}) {
    compare_cyclic("PG(2,61)", plane, weir::GroupDesign{{.outputs = 3776, .inputs = 3776, .group = 64}},
                   samples);
    compare_cyclic("Paley 1019", paley, weir::GroupDesign{{.outputs = 1018, .inputs = 1018, .group = 2}},
                   samples);
  }
  for (auto const& [block, n] :
       {std::pair{64u, 4u}, {64u, 8u}, {64u, 16u}, {128u, 4u}, {128u, 8u}, {128u, 16u}}) {
    std::size_t const tiles = side / block;
    weir::TiledDesign const design(weir::GroupDesign{{.outputs = tiles, .inputs = tiles, .group = n}}, side,
                                   side, block);
    for (std::size_t samples : {64u, 256u})
      compare("tiles of " + std::to_string(block), design, samples, false, sgemm, true);
  }
  for (std::uint32_t n : {16u, 64u}) {
    weir::GroupDesign const design{{.outputs = side, .inputs = side, .group = n}};
    for (std::size_t samples : {64u, 256u}) compare_feature_major(design, samples);
    compare_threads(design, 256);
  }
  for (std::uint32_t n : {4u, 16u, 128u}) {
    auto const begin = std::chrono::steady_clock::now();
    weir::GroupDesign const large{{.outputs = 16384, .inputs = 16384, .group = n}};
    double const time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("tables of 16384 x 16384, n=%-3u %8.2f ms, %zu KiB\n", n, time * 1e3,
                large.layout().table_bytes() / 1024);
  }
}
