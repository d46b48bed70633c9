#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "weir/core/convert.hpp"
#include "weir/core/half.hpp"
#include "weir/tensor/element_type.hpp"
#include "weir_sparsify/npy_file.hpp"

/// What bench-compress-table measures of a method on a vector.
struct TableRow {
  std::string method;
  std::string device = "host";
  std::string data;
  std::size_t size = 0;
  double density = 0.0;
  bool has_feedback = false;
  double quality = 0.0;       // selected over k, the mean over the rounds
  std::vector<double> times;  // of a compression each, in seconds
  double bytes = 0.0;         // that a compression has to move
  double read = 0.0;          // seconds of a plain read of the vector
  double copy = 0.0;          // of a copy
  double decompress = 0.0;
};

/// The least time that so large a part of all is not above.
inline double quantile(std::vector<double> times, double part) {
  if (times.empty()) return 0.0;
  std::sort(times.begin(), times.end());
  std::size_t const rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(times.size())));
  return times[rank == 0 ? 0 : rank - 1];
}

inline std::string csv_header() {
  return "method,device,data,n,rho,feedback,q,compress_ms_median,compress_ms_p95,gelem_per_s,gb_per_s,"
         "x_of_read,x_of_copy,decompress_ms";
}

/// A name that may have commas in it is quoted.
inline std::string csv_line(TableRow const& row) {
  auto const quoted = [](std::string const& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string result = "\"";
    for (char const c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + '"';
  };
  auto const number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return std::string(text);
  };
  double const median = quantile(row.times, 0.5);
  std::string line = quoted(row.method) + ',' + row.device + ',' + quoted(row.data) + ',';
  line += std::to_string(row.size) + ',' + number(row.density) + (row.has_feedback ? ",on" : ",off");
  for (double const value : {row.quality, 1e3 * median, 1e3 * quantile(row.times, 0.95),
                             1e-9 * static_cast<double>(row.size) / median, 1e-9 * row.bytes / median,
                             median / row.read, median / row.copy, 1e3 * row.decompress})
    line += ',' + number(value);
  return line;
}

/// The bytes that selecting so many of `size` fp32 elements has to move: one read and the pairs; with
/// feedback, the gradient and the residual in, the residual out, and a line of memory for each slot sent.
inline double bytes_to_move(std::size_t size, double selected, bool has_feedback) {
  double const elements = static_cast<double>(size);
  return has_feedback ? 12.0 * elements + 72.0 * selected : 4.0 * elements + 8.0 * selected;
}

inline std::vector<std::string> const& table_distributions() {
  static std::vector<std::string> const names = {"laplace", "half-normal", "gamma-0.3", "pareto-0.3",
                                                 "mixture"};
  return names;
}

/// Draws with random signs from one of `table_distributions`; of another name, nothing.
inline std::vector<float> draw(std::string_view distribution, std::size_t size) {
  std::mt19937_64 engine(1);
  auto const uniform = [&engine] { return (static_cast<double>(engine() >> 11) + 0.5) * 0x1p-53; };
  auto const fill = [&](auto const& magnitude) {
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) {
      double const x = magnitude(i);
      values[i] = static_cast<float>((engine() & 1u) != 0 ? x : -x);
    }
    return values;
  };
  if (distribution == "laplace") return fill([&](std::size_t) { return -std::log(uniform()); });
  if (distribution == "half-normal") {
    std::normal_distribution<double> normal;
    return fill([&](std::size_t) { return std::fabs(normal(engine)); });
  }
  if (distribution == "gamma-0.3") {
    std::gamma_distribution<double> gamma(0.3);
    return fill([&](std::size_t) { return gamma(engine); });
  }
  if (distribution == "pareto-0.3")
    return fill([&](std::size_t) { return (std::pow(uniform(), -0.3) - 1.0) / 0.3; });
  if (distribution == "mixture") {  // Laplace in 50 runs of different scale, from 1 to 1e-3
    return fill([&](std::size_t i) {
      double const part = static_cast<double>(i * 50 / size) / 49.0;
      return -std::log(uniform()) * std::pow(10.0, -3.0 * part);
    });
  }
  return {};
}

/// The elements of a .npy file, as fp32. Errors: those of `weir_sparsify::read_npy`.
inline std::vector<float> read_gradient(std::string const& path, bool is_bfloat16) {
  auto const array = weir_sparsify::read_npy(path, is_bfloat16, [](weir_sparsify::NpyHead const&) {});
  std::vector<float> values(array.head.size);
  weir::visit_element(array.head.type, [&]<class Element>(Element*) {
    auto const* const from = reinterpret_cast<Element const*>(array.bytes.data());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = weir::detail::convert<float>(from[i]);
  });
  return values;
}

/// Vectors that are taken in turn, together larger than the caches: the first, and the same from other places
/// on.
class RotatedVectors {
 public:
  explicit RotatedVectors(std::vector<float> const& first, std::size_t bytes = std::size_t{1} << 28)
      : size_(first.size()), stride_((size_ + 15) / 16 * 16) {
    std::size_t const count = size_ == 0 ? 1 : std::max<std::size_t>(2, bytes / (4 * stride_) + 1);
    values_.resize(count * stride_);
    for (std::size_t i = 0; i < count; ++i) {
      auto const start = first.begin() + static_cast<std::ptrdiff_t>(i * size_ / count);
      std::rotate_copy(first.begin(), start, first.end(),
                       values_.begin() + static_cast<std::ptrdiff_t>(i * stride_));
    }
  }

  std::size_t size() const { return size_; }
  std::size_t count() const { return stride_ == 0 ? 1 : values_.size() / stride_; }
  float const* next() {
    turn_ = (turn_ + 1) % count();
    return values_.data() + turn_ * stride_;
  }

 private:
  std::size_t size_;
  std::size_t stride_;
  std::size_t turn_ = 0;
  std::vector<float> values_;
};
