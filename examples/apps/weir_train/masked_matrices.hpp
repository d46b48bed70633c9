#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "immediate_executor.hpp"
#include "layer.hpp"
#include "masked_values.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/mask/initialise.hpp"

namespace weir_train {

/// `DenseMatrices` of which only the live weights exist: of each matrix those of a mask of its own, so that
/// every column has weights in all of them.
template <class Real>
class MaskedMatrices {
 public:
  /// As many matrices as masks, all of one shape, whose sums vary at first as those of dense ones do with
  /// weights in [-bound, bound).
  MaskedMatrices(std::span<weir::MaskOptions const> masks, double bound) {
    for (weir::MaskOptions const& mask : masks) matrices_.emplace_back(here_, weir::BIBDMask<>(mask));
    gain_ = bound * std::sqrt(static_cast<double>(inputs()) / 3.0);
  }

  Index inputs() const { return static_cast<Index>(mask(0).inputs()); }
  Index outputs() const { return rows() * static_cast<Index>(matrices_.size()); }
  ParameterInfo info() const {
    ParameterInfo info{0};
    for (auto const& matrix : matrices_) {
      info.elements += matrix.mask().value_count();
      info.live += matrix.mask().nnz();
    }
    info.of_dense = static_cast<std::size_t>(inputs() * outputs());
    return info;
  }
  Index spare() const { return inputs(); }

  void initialise(weir::RandomStream const& random, std::span<Real> values) const {
    for (auto const& matrix : matrices_) {
      std::size_t const count = matrix.mask().value_count();
      weir::initialise(matrix.mask(), values.first(count),
                       {.gain = gain_, .seed = seed_of(random) + matrix.mask().options().seed});
      values = values.subspan(count);
    }
  }

  template <class In>
  void multiply(Real const* weights, In const& x, Strided<Real> y) const {
    for_each_matrix([&](auto const& layout, Index row, std::size_t first) {
      weir::multiply_masked(here_, layout, values(weights + first, layout), batch(x), batch_of(y, row));
    });
  }

  template <class In>
  void multiply_transposed(Real const* weights, In const& dy, Strided<Real> dx, bool accumulate,
                           Real* spare) const {
    for_each_matrix([&](auto const& layout, Index row, std::size_t first) {
      auto const weight = values(weights + first, layout);
      if (row == 0 && !accumulate)
        return weir::multiply_masked_transposed(here_, layout, weight, batch_of(dy, row), batch(dx));
      Strided<Real> const part(spare, inputs(), dx.cols(), Eigen::OuterStride<>(inputs()));
      weir::multiply_masked_transposed(here_, layout, weight, batch_of(dy, row), batch(part));
      dx += part;
    });
  }

  template <class In, class Out>
  void weight_gradient(In const& x, Out const& dy, Real* gradient, bool accumulate) const {
    auto const mode = accumulate ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
    for_each_matrix([&](auto const& layout, Index row, std::size_t first) {
      weir::masked_weight_gradient(here_, layout, batch_of(dy, row), batch(x),
                                   values(gradient + first, layout), mode);
    });
  }

 private:
  using Bound = weir::BoundMask<weir::HostExecutor, weir::AnyDesign>;

  weir::BIBDMask<> const& mask(std::size_t matrix) const { return matrices_[matrix].mask(); }
  Index rows() const { return static_cast<Index>(mask(0).outputs()); }

  /// Calls `f(layout, row, first)` with the first row and the first value of each matrix.
  template <class Function>
  void for_each_matrix(Function f) const {
    Index row = 0;
    std::size_t first = 0;
    for (Bound const& matrix : matrices_) {
      matrix.visit([&](auto const& layout) { f(layout, row, first); });
      row += rows();
      first += matrix.mask().value_count();
    }
  }

  template <class Value, class Layout>
  static weir::TensorView<Value, weir::HostSpace> values(Value* data, Layout const& layout) {
    return {data, layout.value_count()};
  }
  template <class Map>
  static auto batch(Map columns) {
    return weir::batch_major(columns.data(), static_cast<std::size_t>(columns.cols()),
                             static_cast<std::size_t>(columns.rows()),
                             static_cast<std::size_t>(columns.outerStride()));
  }
  /// The rows of one matrix, from `row` on.
  template <class Map>
  auto batch_of(Map columns, Index row) const {
    return batch(columns).part_of_features(static_cast<std::size_t>(row), static_cast<std::size_t>(rows()));
  }

  weir::HostExecutor here_ = immediate_executor();
  std::vector<Bound> matrices_;
  double gain_ = 0;
};

}  // namespace weir_train
