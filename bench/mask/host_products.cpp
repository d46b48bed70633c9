// The three products of masked layers on a host, by turns with what a user would take instead: dense products
// of Eigen and, if libopenblas.so.0 is found, of OpenBLAS (OPENBLAS_CORETYPE chooses its kernels), and
// Eigen::SparseMatrix. One thread unless said. Each row prints times and two ratios: the speed-up over the
// faster dense product as a fraction of 1/d, which is what the mask leaves out, and over Eigen's CSR.
// `crossover` is the density at which dense would be as fast, if time goes with density.
#include <dlfcn.h>

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
#include <vector>

#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<float, Eigen::RowMajor>;
using Sgemm = void (*)(int, int, int, int, int, int, float, float const*, int, float const*, int, float,
                       float*, int);
constexpr int row_major = 101, no_transpose = 111, transpose = 112;

Sgemm find_openblas() {
  void* const library = dlopen("libopenblas.so.0", RTLD_NOW);
  if (library == nullptr) return nullptr;
  if (void* const set = dlsym(library, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
  if (void* const name = dlsym(library, "openblas_get_corename"))
    std::printf("OpenBLAS kernels: %s\n", reinterpret_cast<char* (*)()>(name)());
  return reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
}

/// The best time of each, taken by turns. Units: seconds.
std::vector<double> by_turns(std::vector<std::function<void()>> const& candidates) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
  double spent = 0;
  for (int turn = 0; turn < 3 || (turn < 40 && spent < 0.4); ++turn) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!candidates[i]) continue;
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

void report(std::string const& name, double density, std::size_t samples, double ours, double dense,
            double sparse) {
  std::printf("%-34s d=1/%-3.0f N=%-4zu %9.3f ms", name.c_str(), 1 / density, samples, ours * 1e3);
  if (dense > 0)
    std::printf("  dense %8.3f ms  %5.2f/d  crossover %.2f", dense * 1e3, dense / ours * density,
                std::min(1.0, dense / ours * density));
  if (sparse > 0) std::printf("  Eigen CSR %9.3f ms %6.1fx", sparse * 1e3, sparse / ours);
  std::printf("\n");
  std::fflush(stdout);
}

template <class Design>
void compare(std::string const& name, Design const& design, std::size_t samples, bool with_sparse,
             Sgemm sgemm) {
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
           sgemm(row_major, no_transpose, transpose, n, out, in, 1, x.data(), in, weights.data(), in, 0,
                 y.data(), out);
       },
       with_sparse ? std::function<void()>([&] { sparse_y.transpose().noalias() = csr * x.transpose(); })
                   : nullptr});
  if (!sgemm) times[2] = none;
  report(name + " forward", density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0);

  times = by_turns({[&] {
                      multiply_masked_transposed(exec, layout, weir::view(values), batch(dy), batch(dx));
                      exec.synchronize();
                    },
                    [&] { dx.noalias() = dy * weights; },
                    [&] {
                      if (sgemm)
                        sgemm(row_major, no_transpose, no_transpose, n, in, out, 1, dy.data(), out,
                              weights.data(), in, 0, dx.data(), in);
                    },
                    with_sparse ? std::function<void()>([&] {
                      sparse_dx.transpose().noalias() = csr_transposed * dy.transpose();
                    })
                                : nullptr});
  if (!sgemm) times[2] = none;
  report(name + " input gradient", density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0);

  times = by_turns({[&] {
                      masked_weight_gradient(exec, layout, batch(dy), batch(x), weir::view(live_gradient),
                                             weir::GradientMode::overwrite);
                      exec.synchronize();
                    },
                    [&] { gradient.noalias() = dy.transpose() * x; },
                    [&] {
                      if (sgemm)
                        sgemm(row_major, transpose, no_transpose, out, in, n, 1, dy.data(), out, x.data(), in,
                              0, gradient.data(), in);
                    }});
  if (!sgemm) times[2] = none;
  report(name + " weight gradient", density, samples, times[0], std::min(times[1], times[2]), 0);
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
         times[1]);
}

void compare_threads(weir::GroupDesign const& design, std::size_t samples) {
  auto const layout = design.layout();
  std::vector<float> values(design.value_count(), 0.5f), gradient(values.size());
  Dense const x = random_matrix(samples, design.inputs());
  Dense y = random_matrix(samples, design.outputs());
  weir::HostExecutor const one, two({.threads = 2});
  auto const run = [&](weir::HostExecutor const& exec, int product) {
    auto const in = weir::batch_major(x.data(), samples, design.inputs());
    auto const out = weir::batch_major(y.data(), samples, design.outputs());
    if (product == 0) multiply_masked(exec, layout, weir::view(values), in, out);
    if (product == 1) multiply_masked_transposed(exec, layout, weir::view(values), in, out);
    if (product == 2)
      masked_weight_gradient(exec, layout, in, in, weir::view(gradient), weir::GradientMode::overwrite);
    exec.synchronize();
  };
  char const* const names[] = {"forward", "input gradient", "weight gradient"};
  for (int product = 0; product < 3; ++product) {
    auto const times = by_turns({[&] { run(one, product); }, [&] { run(two, product); }});
    std::printf("two threads, %-20s n=%-3u N=%-4zu %6.2f times one\n", names[product],
                design.layout().shape.group, samples, times[0] / times[1]);
  }
}

}  // namespace

/// `bench-mask-host_products [quick]`
int main(int argc, char** argv) {
  bool const quick = argc > 1 && std::strcmp(argv[1], "quick") == 0;
  Sgemm const sgemm = find_openblas();
  std::size_t const side = 4096;
  for (std::uint32_t n : {4u, 8u, 16u, 64u}) {
    if (quick && n == 8) continue;
    weir::GroupDesign const design{{.outputs = side, .inputs = side, .group = n}};
    for (std::size_t samples : {1u, 64u, 256u})
      compare("elements", design, samples, samples != 256 && !quick, sgemm);
  }
  for (auto const& [block, n] : {std::pair{64u, 4u}, {64u, 8u}, {64u, 16u}, {128u, 4u}, {128u, 8u}}) {
    std::size_t const tiles = side / block;
    weir::TiledDesign const design(weir::GroupDesign{{.outputs = tiles, .inputs = tiles, .group = n}}, side,
                                   side, block);
    for (std::size_t samples : {64u, 256u})
      compare("tiles of " + std::to_string(block), design, samples, false, sgemm);
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
