#pragma once

#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernels.hpp"
#include "matrix_file.hpp"
#include "weir/host/executor.hpp"
#include "weir/host/masked_product.hpp"

namespace weir_design {

template <class Element>
class TypedKernels {
 public:
  TypedKernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads)
      : design_(design), options_(options), executor_({.threads = threads}) {}

  Products run() const {
    bool const may_be_bfloat16 = std::is_same_v<Element, weir::bfloat16>;
    MatrixFile const weights = read_matrix(options_.values, may_be_bfloat16);
    weights.check(outputs(), inputs(), "outputs x inputs");
    MatrixFile const x_file = read_matrix(options_.multiply, may_be_bfloat16);
    x_file.check(samples_of(x_file), inputs(), "samples x inputs");
    std::size_t const samples = x_file.rows;
    bool const keeps_bits = x_file.type == weir::ElementType::bfloat16;

    Numbers const values = live_values(weights.as<Element>(executor_));
    Numbers const x = x_file.as<Element>(executor_);
    Numbers dy;
    if (!options_.gradient.empty()) {
      MatrixFile const dy_file = read_matrix(options_.gradient, may_be_bfloat16);
      dy_file.check(samples, outputs(), "samples x outputs");
      dy = dy_file.as<Element>(executor_);
    }

    Products products;
    Numbers const y(samples * outputs());
    products.seconds.multiply = timed([&](auto const& layout) {
      multiply_masked(executor_, layout, constant(values), in(x, samples, inputs()),
                      weir::batch_major(y.data(), samples, outputs()));
    });
    products.result = matrix(y, samples, outputs(), keeps_bits);
    if (!options_.input_gradient.empty()) {
      Numbers const dx(samples * inputs());
      products.seconds.input_gradient = timed([&](auto const& layout) {
        multiply_masked_transposed(executor_, layout, constant(values), in(dy, samples, outputs()),
                                   weir::batch_major(dx.data(), samples, inputs()));
      });
      products.input_gradient = matrix(dx, samples, inputs(), keeps_bits);
    }
    if (!options_.weight_gradient.empty()) {
      auto const gradient = Sums::zeros(design_.value_count());
      products.seconds.weight_gradient = timed([&](auto const& layout) {
        masked_weight_gradient(executor_, layout, in(dy, samples, outputs()), in(x, samples, inputs()),
                               gradient.view(), weir::GradientMode::overwrite);
      });
      products.weight_gradient = matrix(with_dead_entries(gradient), outputs(), inputs(), false);
    }
    return products;
  }

 private:
  using Sum = weir::AccumulatorOf<Element>;
  using Numbers = weir_sparsify::AlignedArray<Element>;
  using Sums = weir_sparsify::AlignedArray<Sum>;

  std::size_t outputs() const { return design_.outputs(); }
  std::size_t inputs() const { return design_.inputs(); }

  /// So that of a matrix that lies the wrong way the transpose is named.
  std::size_t samples_of(MatrixFile const& x) const {
    bool const is_transposed = x.columns != inputs() && x.rows == inputs();
    return is_transposed ? x.columns : x.rows;
  }

  static weir::TensorView<Element const, weir::HostSpace> constant(Numbers const& numbers) {
    return {numbers.data(), numbers.size()};
  }
  static auto in(Numbers const& numbers, std::size_t samples, std::size_t features) {
    return weir::batch_major(static_cast<Element const*>(numbers.data()), samples, features);
  }

  /// Calls `visit(entry of the matrix, place among the values)`.
  template <class Visit>
  void for_each_entry(Visit const& visit) const {
    design_.visit([&](auto const& layout) {
      for (std::size_t row = 0; row < layout.outputs(); ++row) {
        std::size_t const degree = layout.row_degree(row);
        for (std::size_t slot = 0; slot < degree; ++slot)
          visit(row * layout.inputs() + layout.column(row, slot), layout.value_index(row, slot));
      }
    });
  }

  Numbers live_values(Numbers const& weights) const {
    Numbers values = Numbers::zeros(design_.value_count());
    for_each_entry(
        [&](std::size_t entry, std::size_t place) { values.data()[place] = weights.data()[entry]; });
    return values;
  }

  Sums with_dead_entries(Sums const& gradient) const {
    Sums all = Sums::zeros(outputs() * inputs());
    for_each_entry([&](std::size_t entry, std::size_t place) { all.data()[entry] = gradient.data()[place]; });
    return all;
  }

  template <class Work>
  double timed(Work const& work) const {
    auto const begin = std::chrono::steady_clock::now();
    design_.visit(work);
    executor_.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  template <class Number>
  MatrixBytes matrix(weir_sparsify::AlignedArray<Number> const& numbers, std::size_t rows,
                     std::size_t columns, bool keeps_bits) const {
    if constexpr (std::is_same_v<Number, weir::bfloat16>) {
      if (!keeps_bits) {
        weir_sparsify::AlignedArray<float> const wide(numbers.size());
        copy(executor_, numbers.view(), wide.view());
        executor_.synchronize();
        return matrix(wide, rows, columns, false);
      }
    }
    MatrixBytes matrix{descr_of(numbers.data()), rows, columns, {}};
    matrix.bytes.resize(numbers.size() * sizeof(Number));
    if (!matrix.bytes.empty()) std::memcpy(matrix.bytes.data(), numbers.data(), matrix.bytes.size());
    return matrix;
  }

  static char const* descr_of(double const*) { return "<f8"; }
  static char const* descr_of(float const*) { return "<f4"; }
  static char const* descr_of(weir::half const*) { return "<f2"; }
  static char const* descr_of(weir::bfloat16 const*) { return "<u2"; }

  weir::AnyDesign const& design_;
  KernelOptions const& options_;
  weir::HostExecutor executor_;
};

template <class Element>
Products run_typed_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads) {
  return TypedKernels<Element>(design, options, threads).run();
}

}  // namespace weir_design
