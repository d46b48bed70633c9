#include "weir/host/kernels/group_terms.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/mask/design/group.hpp"

namespace {

using Vectors = weir::detail::GroupVectors<float, 4>;

/// Adds up the terms as the products do, with 0, 1, 2, .. for values and powers of two for inputs.
template <class Terms, bool Transposed>
void check(std::uint32_t n, std::uint32_t levels) {
  CAPTURE(n);
  CAPTURE(levels);
  weir::GroupDesign const design{{.outputs = 3 * n, .inputs = 5 * n, .group = n, .levels = levels}};
  auto const layout = design.layout();
  Vectors const v(layout);
  std::vector<float> values(layout.value_count());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  std::size_t const cells = Transposed ? v.classes : v.groups;
  std::vector<float> inputs(cells * n + 4);
  for (std::size_t i = 0; i < cells * n; ++i) inputs[i] = static_cast<float>(i * i + 3);
  weir::detail::TermScratch scratch;
  for (std::size_t u = 0; u < Terms::outputs(v); ++u) {
    std::vector<double> sum(4);
    Terms terms;
    terms.start(v, values.data(), u, 0, cells, scratch);
    for (std::size_t step = Terms::steps(v, cells); step != 0; --step) {
      std::size_t at;
      Vectors::Index index;
      Vectors::Values factor;
      terms.next(v, step == 1, at, index, factor);
      for (std::size_t lane = 0; lane < 4; ++lane)
        sum[lane] += double{factor[lane]} * double{inputs[at + index[lane]]};
    }
    std::size_t const outputs = Transposed ? layout.inputs() : layout.outputs();
    std::size_t const together = Transposed || v.is_wide ? 4 : n;
    for (std::size_t i = 0; i < together && u * together + i < outputs; ++i) {
      std::size_t const output = u * together + i;
      double wanted = 0, got = 0;
      std::size_t const degree = Transposed ? layout.column_degree(output) : layout.row_degree(output);
      for (std::size_t slot = 0; slot < degree; ++slot) {
        wanted += Transposed ? double{values[layout.value_index_transposed(output, slot)]} *
                                   inputs[layout.row(output, slot)]
                             : double{values[layout.value_index(output, slot)]} *
                                   inputs[layout.column(output, slot)];
      }
      for (std::size_t lane = i; lane < 4; lane += together) got += sum[lane];
      CHECK(got == wanted);  // integers
    }
  }
}

TEST_CASE("the terms of an output are the entries of its row or column") {
  for (std::uint32_t n : {4u, 8u, 32u}) {
    for (std::uint32_t levels : {1u, 3u}) {
      check<weir::detail::WideForwardTerms<Vectors, float>, false>(n, levels);
      check<weir::detail::WideTransposedTerms<Vectors, float>, true>(n, levels);
    }
  }
  check<weir::detail::PackedForwardTerms<Vectors, float>, false>(2, 1);
  check<weir::detail::PackedTransposedTerms<Vectors, float>, true>(2, 1);
}

}  // namespace
