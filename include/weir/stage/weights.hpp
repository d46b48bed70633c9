#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

namespace detail {
/// Of what, and where, a view or a list of views is.
template <class Weights>
struct WeightElement;
template <class Element, class Space>
struct WeightElement<TensorView<Element, Space>> {
  using type = Element;
  using space = Space;
};
template <class Element, class Space>
struct WeightElement<std::vector<TensorView<Element, Space>>> : WeightElement<TensorView<Element, Space>> {};
}  // namespace detail

/// A piece of a bucket whose weights lie in one row. `offset` is where its gradient lies in the bucket.
template <Executor E, class Real>
struct WeightSegment {
  ViewOn<Real, E> values;
  std::size_t offset = 0;
};

/// The caller's weights, as one flat vector in registration order or as one view per parameter.
template <Executor E, class Real = float>
class Weights {
 public:
  /// Errors: `ContractViolation` if the size is not that of the plan.
  Weights(ViewOn<Real, E> flat, BucketPlan const& plan) {
    if (flat.size() != plan.elements()) {
      throw ContractViolation("the weights have " + std::to_string(flat.size()) +
                              " elements, the bucket plan has " + std::to_string(plan.elements()));
    }
    std::size_t offset = 0;
    for (std::size_t parameter = 0; parameter < plan.parameters(); ++parameter) {
      parameters_.push_back(flat.part(offset, plan.parameter(parameter).elements));
      offset += plan.parameter(parameter).elements;
    }
  }

  /// Errors: `ContractViolation` that names the first parameter whose size is not that of the plan.
  Weights(std::vector<ViewOn<Real, E>> parameters, BucketPlan const& plan)
      : parameters_(std::move(parameters)) {
    if (parameters_.size() != plan.parameters()) {
      throw ContractViolation("there are " + std::to_string(parameters_.size()) +
                              " views of weights, the bucket plan has " + std::to_string(plan.parameters()) +
                              " parameters");
    }
    for (std::size_t parameter = 0; parameter < parameters_.size(); ++parameter) {
      auto const [elements, type] = plan.parameter(parameter);
      if (parameters_[parameter].size() != elements) {
        throw ContractViolation("parameter " + std::to_string(parameter) + " has " +
                                std::to_string(parameters_[parameter].size()) +
                                " weights, the bucket plan says " + std::to_string(elements));
      }
    }
  }

  /// Errors: `ContractViolation` for memory that the executor cannot work on; `name` says whose it is.
  void check_memory(E const& executor, char const* name) const {
    for (auto const& parameter : parameters_) v1::check_memory(executor, parameter.data(), name);
  }

  std::size_t parameters() const { return parameters_.size(); }
  ViewOn<Real, E> operator[](std::size_t parameter) const { return parameters_[parameter]; }

  /// One segment per parameter of the bucket.
  std::vector<WeightSegment<E, Real>> by_parameter(BucketPlan const& plan, std::size_t bucket) const {
    std::vector<WeightSegment<E, Real>> segments;
    for (std::size_t parameter : plan[bucket].parameters) {
      segments.push_back({parameters_[parameter], plan.place(parameter).offset});
    }
    return segments;
  }

  /// The fewest segments: neighbours in the bucket that are neighbours in memory are one.
  std::vector<WeightSegment<E, Real>> segments(BucketPlan const& plan, std::size_t bucket) const {
    std::vector<WeightSegment<E, Real>> merged;
    for (auto const& next : by_parameter(plan, bucket)) {
      if (!merged.empty()) {
        auto& values = merged.back().values;
        if (values.data() + values.size() == next.values.data()) {
          values = {values.data(), values.size() + next.values.size()};
          continue;
        }
      }
      merged.push_back(next);
    }
    return merged;
  }

 private:
  std::vector<ViewOn<Real, E>> parameters_;
};

}  // namespace weir::inline v1
