#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "dataset.hpp"
#include "eigen.hpp"
#include "weir/core/random.hpp"

namespace weir_train {

using Index = Eigen::Index;

/// Activations: a column, which lies in one piece, for each sample or for each pixel of each sample.
template <class Real>
using Columns = Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>>;
template <class Real>
using ConstColumns = Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic> const>;
/// Columns that begin at a distance of their own.
template <class Real>
using Strided = Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>>;
template <class Real>
using ConstStrided =
    Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic> const, 0, Eigen::OuterStride<>>;

/// A parameter of a layer: so many elements, at first uniform in [-bound, bound) unless
/// the layer says otherwise.
struct ParameterInfo {
  std::size_t elements = 0;
  double bound = 0;
  std::size_t live = elements;      // without what only fills up
  std::size_t of_dense = elements;  // if all weights were there
};

/// The memory that a layer works on for one micro-batch.
template <class Real>
struct LayerPass {
  std::size_t samples = 0;
  Real const* parameters[2] = {};  // weight and bias, for a layer that has them
  Real const* in = nullptr;
  Real* out = nullptr;
  Real* scratch = nullptr;  // kept from forward to backward

  // For backward only.
  Real* out_delta = nullptr;  // the gradient of `out`; the layer may change it
  Real* in_delta = nullptr;   // becomes the gradient of `in`, unless null
  Real* gradients[2] = {};    // of the parameters
  bool accumulate = false;    // add to them, or overwrite them
};

/// A differentiable function of one activation and its parameters. Has no state: several workers use it at
/// once.
template <class Real>
class Layer {
 public:
  virtual ~Layer() = default;

  /// Of one sample.
  virtual Shape input() const = 0;
  virtual Shape output() const = 0;
  /// In the order of registration, at most two.
  virtual std::vector<ParameterInfo> parameters() const { return {}; }
  /// Elements of scratch memory for so many samples, at most so many times that for one.
  virtual std::size_t scratch(std::size_t) const { return 0; }
  /// About the multiplications of a forward for one sample, or what takes as long.
  virtual std::size_t cost() const {
    std::size_t elements = 0;
    for (ParameterInfo const& parameter : parameters()) elements += parameter.elements;
    return std::max(elements * output().pixels(), input().size());
  }

  /// Fills a parameter with its first values, which depend on `random` only.
  virtual void initialise(std::size_t place, weir::RandomStream const& random, std::span<Real> values) const {
    auto const bound = static_cast<Real>(parameters()[place].bound);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = bound * static_cast<Real>(2 * random.uniform(i) - 1);
  }

  virtual void forward(LayerPass<Real> const& pass) const = 0;
  /// When it returns, the parameters have been read for the last time.
  virtual void backward(LayerPass<Real> const& pass) const = 0;
};

}  // namespace weir_train
