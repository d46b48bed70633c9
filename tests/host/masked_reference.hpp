#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "support/worst_error.hpp"
#include "weir/core/convert.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/batch_view.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/mask/design/indexed.hpp"

namespace weir_test {

/// Of what a product reads as inputs, and of what it writes as outputs; each batch may have its own.
struct BatchOrders {
  weir::BatchOrder inputs = weir::BatchOrder::batch_major;
  weir::BatchOrder outputs = inputs;
};

/// One of the four, feature-major in a quarter of the cases where `draw` is uniform.
inline BatchOrders orders_of(std::size_t draw) {
  auto const order = [](bool is_feature_major) {
    return is_feature_major ? weir::BatchOrder::feature_major : weir::BatchOrder::batch_major;
  };
  return {order(draw % 4 == 0), order(draw / 4 % 4 == 0)};
}

/// A batch with room between its lines, which is not a number, so that reading it shows.
template <class Element>
struct Batch {
  Batch(std::size_t sample_count, std::size_t feature_count, weir::BatchOrder batch_order,
        std::size_t room = 0)
      : samples(sample_count), features(feature_count), order(batch_order) {
    bool const by_sample = order == weir::BatchOrder::batch_major;
    stride = (by_sample ? features : samples) + room;
    elements.assign((by_sample ? samples : features) * stride,
                    Element(std::numeric_limits<float>::quiet_NaN()));
  }

  weir::BatchView<Element, weir::HostSpace> view() {
    return {elements.data(), samples, features, stride, order};
  }
  weir::BatchView<Element const, weir::HostSpace> constant() const {
    return {elements.data(), samples, features, stride, order};
  }
  double operator()(std::size_t sample, std::size_t feature) const {
    return weir::detail::convert<double>(constant()(sample, feature));
  }

  std::size_t samples, features, stride = 0;
  weir::BatchOrder order;
  std::vector<Element> elements;
};

/// Numbers between -1 and 1 that depend on seed and place only.
inline float number_at(std::uint64_t seed, std::size_t place) {
  auto const word = weir::philox({{static_cast<std::uint32_t>(place), 0, 0, 0}}, seed)[0];
  return static_cast<float>(static_cast<std::int32_t>(word) >> 8) * 0x1p-23f;
}

template <class Element>
void fill_batch(Batch<Element>& batch, std::uint64_t seed) {
  auto const view = batch.view();
  for (std::size_t i = 0; i < batch.samples; ++i) {
    for (std::size_t f = 0; f < batch.features; ++f) {
      view(i, f) = Element(number_at(seed, i * batch.features + f));
    }
  }
}

/// The products as their definitions say, in double. `scale` is what the terms add up to in magnitude.
struct Expected {
  explicit Expected(std::size_t size) : value(size), scale(size, 1e-30) {}
  void add(std::size_t at, double term) {
    value[at] += term;
    scale[at] += std::abs(term);
  }
  std::vector<double> value;
  std::vector<double> scale;
};

template <class Layout, class Function>
void for_each_entry(Layout const& layout, Function const& f) {
  for (std::size_t row = 0; row < layout.outputs(); ++row) {
    std::size_t const degree = layout.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      f(row, layout.column(row, slot), layout.value_index(row, slot));
    }
  }
}

/// One number per live entry; padding stays zero.
template <class Element, class Layout>
std::vector<Element> random_values(Layout const& layout, std::uint64_t seed) {
  std::vector<Element> values(layout.value_count(), Element(0.0f));
  for_each_entry(
      layout, [&](std::size_t, std::size_t, std::size_t at) { values[at] = Element(number_at(seed, at)); });
  return values;
}

/// The transpose with its entries written out, and the values in its order.
template <class Layout>
std::pair<weir::IndexedDesign<std::uint32_t>, std::vector<double>> explicit_transpose(
    Layout const& layout, std::vector<double> const& values) {
  std::vector<std::uint32_t> begin = {0};
  std::vector<std::uint32_t> rows;
  std::vector<double> transposed;
  for (std::size_t column = 0; column < layout.inputs(); ++column) {
    std::vector<std::pair<std::uint32_t, double>> entries;
    for (std::size_t slot = 0; slot < layout.column_degree(column); ++slot) {
      entries.emplace_back(static_cast<std::uint32_t>(layout.row(column, slot)),
                           values[layout.value_index_transposed(column, slot)]);
    }
    std::sort(entries.begin(), entries.end());
    for (auto const& [row, value] : entries) {
      rows.push_back(row);
      transposed.push_back(value);
    }
    begin.push_back(static_cast<std::uint32_t>(rows.size()));
  }
  return {weir::IndexedDesign<std::uint32_t>(layout.outputs(), begin, rows), transposed};
}

template <class Layout, class Element>
Expected expected_product(Layout const& layout, std::vector<Element> const& values, Batch<Element> const& x) {
  Expected expected(x.samples * layout.outputs());
  for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    double const value = weir::detail::convert<double>(values[at]);
    for (std::size_t i = 0; i < x.samples; ++i) {
      expected.add(i * layout.outputs() + row, value * x(i, column));
    }
  });
  return expected;
}

template <class Layout, class Element>
Expected expected_transposed(Layout const& layout, std::vector<Element> const& values,
                             Batch<Element> const& dy) {
  Expected expected(dy.samples * layout.inputs());
  for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    double const value = weir::detail::convert<double>(values[at]);
    for (std::size_t i = 0; i < dy.samples; ++i) {
      expected.add(i * layout.inputs() + column, value * dy(i, row));
    }
  });
  return expected;
}

template <class Layout, class Element>
Expected expected_gradient(Layout const& layout, Batch<Element> const& dy, Batch<Element> const& x) {
  Expected expected(layout.value_count());
  for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    for (std::size_t i = 0; i < x.samples; ++i) expected.add(at, dy(i, row) * x(i, column));
  });
  return expected;
}

/// Where one element of x and one of dy are not finite.
struct Poison {
  std::size_t sample_of_x, column;
  std::size_t sample_of_dy, row;
};

/// Whether it shows in the three products where it meets a live entry, and nowhere else.
template <class Layout, class Element, class Real>
bool shows_where_live(Poison const& poison, Layout const& layout, Batch<Element> const& y,
                      Batch<Element> const& dx, std::vector<Real> const& gradient) {
  bool is_right = true;
  std::vector<bool> is_live(gradient.size());
  for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    is_live[at] = true;
    is_right &= std::isfinite(gradient[at]) == (row != poison.row && column != poison.column);
  });
  for (std::size_t at = 0; at < gradient.size(); ++at) is_right &= is_live[at] || gradient[at] == Real{0};
  for (std::size_t i = 0; i < y.samples; ++i) {
    for (std::size_t row = 0; row < layout.outputs(); ++row) {
      bool const is_met = i == poison.sample_of_x && layout.contains(row, poison.column);
      is_right &= std::isfinite(y(i, row)) != is_met;
    }
    for (std::size_t column = 0; column < layout.inputs(); ++column) {
      bool const is_met = i == poison.sample_of_dy && layout.contains(poison.row, column);
      is_right &= std::isfinite(dx(i, column)) != is_met;
    }
  }
  return is_right;
}

/// The largest error relative to the magnitude of the terms.
template <class Element>
double largest_error(Expected const& expected, Batch<Element> const& batch) {
  double largest = 0;
  for (std::size_t i = 0; i < batch.samples; ++i) {
    for (std::size_t f = 0; f < batch.features; ++f) {
      auto const at = i * batch.features + f;
      double const error = std::abs(batch(i, f) - expected.value[at]) / expected.scale[at];
      largest = worst_error(largest, error);
    }
  }
  return largest;
}

template <class Real>
double largest_error(Expected const& expected, std::vector<Real> const& values) {
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double const error = std::abs(double{values[i]} - expected.value[i]) / expected.scale[i];
    largest = worst_error(largest, error);
  }
  return largest;
}

}  // namespace weir_test
