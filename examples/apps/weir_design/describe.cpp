#include "describe.hpp"

#include <chrono>
#include <utility>

#include "weir/mask/make_design.hpp"
#include "weir/mask/spectrum.hpp"

namespace weir_design {
namespace {

constexpr std::size_t most_inputs_counted = 4096;

bool is_exact(Description const& d) {
  bool const is_regular =
      d.row_degree.least == d.row_degree.most && d.column_degree.least == d.column_degree.most;
  bool const is_incomplete = d.row_degree.least >= 2 && d.row_degree.least < d.inputs;
  return is_regular && is_incomplete && d.lambda->size() == 1 && d.lambda->front().meetings >= 1;
}

}  // namespace

Made make(weir::MaskOptions const& options) {
  auto const begin = std::chrono::steady_clock::now();
  weir::MadeDesign made = weir::make_design(options);
  std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begin;
  return {std::move(made.design), std::move(made.family), seconds.count()};
}

Description describe(Made const& made, bool counts_lambda) {
  return made.design.visit([&](auto const& layout) {
    Description d;
    d.family = made.family;
    d.inputs = layout.inputs();
    d.outputs = layout.outputs();
    d.nnz = layout.nnz();
    d.density = static_cast<double>(d.nnz) / static_cast<double>(d.inputs) / static_cast<double>(d.outputs);
    d.row_degree = weir::row_degrees(layout);
    d.column_degree = weir::column_degrees(layout);
    if (counts_lambda || d.inputs <= most_inputs_counted) {
      d.lambda = weir::lambda_histogram(layout);
      d.exact = is_exact(d);
    } else {
      d.exact = weir::certify(layout) != weir::DesignParameters{};
    }
    d.sigma2 = weir::singular_values(layout).second;
    d.table_bytes = layout.table_bytes();
    d.seconds_construct = made.seconds;
    return d;
  });
}

}  // namespace weir_design
