#pragma once

#include <concepts>
#include <type_traits>

#include "weir/core/half.hpp"

namespace weir::inline v1 {

/// What verbs compute with.
template <class Element>
concept ArithmeticElement = std::same_as<Element, float> || std::same_as<Element, double> ||
    std::same_as<Element, half> || std::same_as<Element, bfloat16>;

/// An element whose every value `Real` has too.
template <class Element, class Real>
concept ExactIn = ArithmeticElement<std::remove_const_t<Element>> && std::floating_point<Real> &&
                  sizeof(Element) <= sizeof(Real);

/// What `copy` takes: elements of one type, or numbers that it converts.
template <class From, class To>
concept CopyableElement = std::same_as<std::remove_const_t<From>, To> ||
    (ArithmeticElement<std::remove_const_t<From>>&& ArithmeticElement<To>);

}  // namespace weir::inline v1
