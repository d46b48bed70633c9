#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "mask/avx2_products.hpp"
#include "mask/by_turns.hpp"
#include "mask/marks.hpp"
#include "support/openblas.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"

// Products of masks by turns with dense ones and Eigen's CSR, one row of text each.

namespace bench {

using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<float, Eigen::RowMajor>;

inline Dense random_matrix(std::size_t rows, std::size_t columns) {
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

/// What a row is held to: the speed-up over dense as a fraction of 1/d, and that over Eigen's CSR.
struct Marks {
  Mark dense = {};
  Mark sparse = {};
};

enum Product { forward, input_gradient, weight_gradient };

inline Marks marks_of(Product product, std::size_t samples, double density, bool is_tiled) {
  if (is_tiled) return {mark(1.0, 0.9, 0.9), {}};
  if (samples == 1) {
    if (product == weight_gradient) return {};
    bool const is_thin = product == forward && density <= 1.0 / 16;
    return {is_thin ? mark(0, 1.5, 1.0) : Mark{}, mark(8, is_thin ? 5 : 0, is_thin ? 3 : 0)};
  }
  if (product == forward) return {mark(0.5, 0.4, 0.2), mark(12, 10, 5)};
  if (product == input_gradient) return {mark(0.4, 0.3, 0.15), mark(12, 8, 4)};
  return {mark(0.3, 0.25, 0.15), {}};
}

inline void report(std::string const& name, double density, std::size_t samples, double ours, double dense,
                   double sparse, Marks const& marks, double values = 0) {
  std::printf("%-42s d=1/%-3.0f N=%-4zu %9.3f ms", name.c_str(), 1 / density, samples, ours * 1e3);
  if (dense > 0) {
    double const fraction = dense / ours * density;
    std::printf("  dense %8.3f ms  %5.2f/d", dense * 1e3, fraction);
    print_mark(fraction, marks.dense);
    std::printf("  crossover %.2f", std::min(1.0, fraction));
  }
  if (sparse > 0) {
    std::printf("  Eigen CSR %9.3f ms %6.1fx", sparse * 1e3, sparse / ours);
    print_mark(sparse / ours, marks.sparse);
  }
  if (values > 0) std::printf("  values %.3f ms, %.0f %% of the bound", values * 1e3, 100 * values / ours);
  std::printf("\n");
  std::fflush(stdout);
}

template <class Design>
void compare_on(Executor const& exec, std::string const& kind, Design const& design, std::size_t samples,
                bool with_sparse, OpenBlas::Sgemm sgemm, bool is_tiled, Caches caches) {
  std::string const after = name_of(caches);
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
  bool const has_marks = inputs == outputs && inputs > 3700 && inputs < 4200;
  auto const marks = [&](Product product) {
    return has_marks ? marks_of(product, samples, density, is_tiled) : Marks{};
  };

  auto times = by_turns(
      {[&] { multiply_masked(exec, layout, weir::view(values), batch(x), batch(y)); },
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
  report(kind + " forward" + after, density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0, marks(forward), caches == Caches::as_left ? 0 : times[4]);

  times = by_turns(
      {[&] { multiply_masked_transposed(exec, layout, weir::view(values), batch(dy), batch(dx)); },
       [&] { dx.noalias() = dy * weights; },
       [&] {
         if (sgemm)
           sgemm(OpenBlas::row_major, OpenBlas::no_transpose, OpenBlas::no_transpose, n, in, out, 1,
                 dy.data(), out, weights.data(), in, 0, dx.data(), in);
       },
       with_sparse
           ? std::function<void()>([&] { sparse_dx.transpose().noalias() = csr_transposed * dy.transpose(); })
           : nullptr,
       caches == Caches::as_left ? nullptr : std::function<void()>([&] {
         read_all(values.data(), values.size() * sizeof(float));
       })},
      caches);
  if (!sgemm) times[2] = none;
  report(kind + " input gradient" + after, density, samples, times[0], std::min(times[1], times[2]),
         with_sparse ? times[3] : 0, marks(input_gradient), caches == Caches::as_left ? 0 : times[4]);

  times = by_turns({[&] {
                      masked_weight_gradient(exec, layout, batch(dy), batch(x), weir::view(live_gradient),
                                             weir::GradientMode::overwrite);
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
         marks(weight_gradient));
}

template <class Design>
void compare(std::string const& kind, Design const& design, std::size_t samples, bool with_sparse,
             OpenBlas::Sgemm sgemm, bool is_tiled = false, Caches caches = Caches::as_left) {
  on_stream([&](Executor const& exec) {
    compare_on(exec, kind, design, samples, with_sparse, sgemm, is_tiled, caches);
  });
}

/// Samples of a feature side by side, as Eigen's CSR likes them.
inline void compare_feature_major(Executor const& exec, weir::GroupDesign const& design,
                                  std::size_t samples) {
  auto const layout = design.layout();
  std::vector<float> values(design.value_count(), 0.5f);
  Sparse const csr = sparse_of(design, values);
  Dense const x = random_matrix(design.inputs(), samples);
  Dense y = random_matrix(design.outputs(), samples), sparse_y = y;
  auto const times = by_turns({[&] {
                                 multiply_masked(exec, layout, weir::view(values),
                                                 weir::feature_major(x.data(), samples, design.inputs()),
                                                 weir::feature_major(y.data(), samples, design.outputs()));
                               },
                               [&] { sparse_y.noalias() = csr * x; }});
  report("feature-major forward", static_cast<double>(design.nnz()) / 4096 / 4096, samples, times[0], 0,
         times[1], {{}, mark(2, 1.5, 1.2)});
}

}  // namespace bench
