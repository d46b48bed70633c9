#pragma once

#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernels.hpp"
#include "matrix_file.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/host/executor.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_design {

enum class OperandUse { read, written };

/// Numbers of the host where the kernels of an executor can use them: the same memory, or a copy in its own.
template <class Number, weir::Executor E>
class Operand {
 public:
  Operand(E const& executor, weir_sparsify::AlignedArray<Number> const& host, OperandUse use)
      : executor_(executor), host_(host), copy_(executor, is_copied ? host.size() : 0) {
    if (is_copied && use == OperandUse::read && host.size() != 0)
      copy_from_host(executor_, host_.data(), copy_.data(), bytes());
  }

  Number* data() const { return is_copied ? copy_.data() : host_.data(); }
  /// Waits until what was written is in the host's memory.
  void fetch() const {
    if (is_copied && host_.size() != 0) copy_to_host(executor_, copy_.data(), host_.data(), bytes());
    executor_.synchronize();
  }

 private:
  static constexpr bool is_copied = !weir::HostOrderedExecutor<E>;
  std::size_t bytes() const { return host_.size() * sizeof(Number); }

  E executor_;
  weir_sparsify::AlignedArray<Number> const& host_;
  weir::Buffer<Number, E> copy_;
};

/// The products of a mask in a type, by the kernels of an executor.
template <class Element, weir::Executor E>
class TypedKernels {
 public:
  /// `host` reads and converts files.
  TypedKernels(weir::AnyDesign const& design, KernelOptions const& options, weir::HostExecutor const& host,
               E const& executor)
      : options_(options), host_(host), executor_(executor), mask_(executor, weir::BIBDMask(design)) {}

  Products run() const {
    bool const may_be_bfloat16 = std::is_same_v<Element, weir::bfloat16>;
    MatrixFile const weights = read_matrix(options_.values, may_be_bfloat16);
    weights.check(outputs(), inputs(), "outputs x inputs");
    MatrixFile const x_file = read_matrix(options_.multiply, may_be_bfloat16);
    x_file.check(samples_of(x_file), inputs(), "samples x inputs");
    std::size_t const samples = x_file.rows;
    bool const keeps_bits = x_file.type == weir::ElementType::bfloat16;

    Numbers const live = live_values(weights.as<Element>(host_)), x_numbers = x_file.as<Element>(host_);
    Numbers dy_numbers;
    if (!options_.gradient.empty()) {
      MatrixFile const dy_file = read_matrix(options_.gradient, may_be_bfloat16);
      dy_file.check(samples, outputs(), "samples x outputs");
      dy_numbers = dy_file.as<Element>(host_);
    }
    Operand<Element, E> const values(executor_, live, Use::read), x(executor_, x_numbers, Use::read),
        dy(executor_, dy_numbers, Use::read);
    Values const weight_view(values.data(), live.size());

    Products products;
    Numbers const y_numbers(samples * outputs());
    Operand<Element, E> const y(executor_, y_numbers, Use::written);
    products.seconds.multiply = timed([&](auto const& layout) {
      multiply_masked(executor_, layout, weight_view, in(x, samples, inputs()), out(y, samples, outputs()));
    });
    y.fetch();
    products.result = matrix(y_numbers, samples, outputs(), keeps_bits);
    if (!options_.input_gradient.empty()) {
      Numbers const dx_numbers(samples * inputs());
      Operand<Element, E> const dx(executor_, dx_numbers, Use::written);
      products.seconds.input_gradient = timed([&](auto const& layout) {
        multiply_masked_transposed(executor_, layout, weight_view, in(dy, samples, outputs()),
                                   out(dx, samples, inputs()));
      });
      dx.fetch();
      products.input_gradient = matrix(dx_numbers, samples, inputs(), keeps_bits);
    }
    if (!options_.weight_gradient.empty()) {
      auto const sums = Sums::zeros(live.size());
      Operand<Sum, E> const gradient(executor_, sums, Use::read);
      products.seconds.weight_gradient = timed([&](auto const& layout) {
        masked_weight_gradient(executor_, layout, in(dy, samples, outputs()), in(x, samples, inputs()),
                               weir::TensorView<Sum, Space>(gradient.data(), sums.size()),
                               weir::GradientMode::overwrite);
      });
      gradient.fetch();
      products.weight_gradient = matrix(with_dead_entries(sums), outputs(), inputs(), false);
    }
    return products;
  }

 private:
  using Space = typename E::memory_space;
  using Sum = weir::AccumulatorOf<Element>;
  using Numbers = weir_sparsify::AlignedArray<Element>;
  using Sums = weir_sparsify::AlignedArray<Sum>;
  using Values = weir::TensorView<Element const, Space>;
  using Use = OperandUse;

  weir::AnyDesign const& design() const { return mask_.mask().design(); }
  std::size_t outputs() const { return design().outputs(); }
  std::size_t inputs() const { return design().inputs(); }

  /// So that of a matrix that lies the wrong way the transpose is named.
  std::size_t samples_of(MatrixFile const& x) const {
    bool const is_transposed = x.columns != inputs() && x.rows == inputs();
    return is_transposed ? x.columns : x.rows;
  }

  static auto in(Operand<Element, E> const& numbers, std::size_t samples, std::size_t features) {
    return weir::batch_major<Space>(static_cast<Element const*>(numbers.data()), samples, features);
  }
  static auto out(Operand<Element, E> const& numbers, std::size_t samples, std::size_t features) {
    return weir::batch_major<Space>(numbers.data(), samples, features);
  }

  /// Calls `visit(entry of the matrix, place among the values)`.
  template <class Visit>
  void for_each_entry(Visit const& visit) const {
    design().visit([&](auto const& layout) {
      for (std::size_t row = 0; row < layout.outputs(); ++row) {
        std::size_t const degree = layout.row_degree(row);
        for (std::size_t slot = 0; slot < degree; ++slot)
          visit(row * layout.inputs() + layout.column(row, slot), layout.value_index(row, slot));
      }
    });
  }

  Numbers live_values(Numbers const& weights) const {
    Numbers values = Numbers::zeros(design().value_count());
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
    if constexpr (!weir::HostOrderedExecutor<E>) mask_.visit(work);  // the first call loads the kernel
    executor_.synchronize();
    auto const begin = std::chrono::steady_clock::now();
    mask_.visit(work);
    executor_.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  template <class Number>
  MatrixBytes matrix(weir_sparsify::AlignedArray<Number> const& numbers, std::size_t rows,
                     std::size_t columns, bool keeps_bits) const {
    if constexpr (std::is_same_v<Number, weir::bfloat16>) {
      if (!keeps_bits) {
        weir_sparsify::AlignedArray<float> const wide(numbers.size());
        copy(host_, numbers.view(), wide.view());
        host_.synchronize();
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

  KernelOptions const& options_;
  weir::HostExecutor host_;
  E executor_;
  weir::BoundMask<E, weir::AnyDesign> mask_;
};

}  // namespace weir_design
