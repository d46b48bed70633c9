#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "draws_values.hpp"
#include "layer.hpp"

namespace weir_train {

/// What layers have in common whose parameters are the matrices of two products, one behind the other; and
/// vectors. A product is `Affine`, or matrices alone.
template <class Real, class Product>
class TwoProducts : public Layer<Real> {
 public:
  std::vector<ParameterInfo> parameters() const override {
    ParameterInfo matrices = first().info();
    ParameterInfo const others = second().info();
    matrices.elements += others.elements;
    matrices.live += others.live;
    matrices.of_dense += others.of_dense;
    matrices.bound = bound_;
    return {matrices, {vectors_, 0.0}};
  }

  void initialise(std::size_t place, weir::RandomStream const& random,
                  std::span<Real> values) const override {
    if constexpr (DrawsValues<Product, Real>) {
      if (place == 0) {
        first().initialise(random, values.first(behind_first()));
        return second().initialise(random, values.subspan(behind_first()));
      }
    }
    Layer<Real>::initialise(place, random, values);
  }

 protected:
  /// Weights are at first in [-bound, bound). Call it with braces: matrices take masks in the order in which
  /// they are made.
  TwoProducts(Product first, Product second, std::size_t vectors, double bound)
      : first_(std::move(first)), second_(std::move(second)), vectors_(vectors), bound_(bound) {}

  Product const& first() const { return first_; }
  Product const& second() const { return second_; }
  /// Where the matrices of the second product begin.
  std::size_t behind_first() const { return first().info().elements; }
  /// Elements of all.
  std::size_t matrices() const { return behind_first() + second().info().elements; }
  std::size_t vectors() const { return vectors_; }

 private:
  Product first_;
  Product second_;
  std::size_t vectors_;
  double bound_;
};

}  // namespace weir_train
