#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/staged_samples.cuh"

namespace {

template <class Real>
struct StageOnce {
  using Staged = weir::detail::StagedSamples<Real>;
  weir::detail::DeviceSamples<Real> in;
  std::size_t first_sample, first;
  unsigned count, columns, teams;
  Real* out;  // [sample][column]

  std::size_t blocks() const { return 1; }
  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    Staged const staged = Staged::in(memory, columns, teams);
    staged.find(block, in, first_sample, 0);
    block.sync();
    staged.stage(block, in, first, count);
    block.sync();
    if (block.thread() != 0) return;
    for (unsigned team = 0; team < teams; ++team) {
      for (unsigned column = 0; column < count; ++column) {
        for (unsigned i = 0; i < Staged::samples; ++i)
          out[(team * Staged::samples + i) * count + column] = staged.numbers[staged.place(team, column) + i];
      }
    }
  }
};

template <class Real>
void check(weir::BatchOrder order, unsigned columns, unsigned teams) {
  weir_test::Batch<Real> batch(37, 150, order, 3);
  weir_test::fill_batch(batch, 1);
  unsigned const samples = teams * static_cast<unsigned>(weir::detail::StagedSamples<Real>::samples);
  unsigned const count = columns - 5;
  std::vector<Real> out(samples * count);
  StageOnce<Real> const stage{weir::detail::DeviceSamples<Real>::of(play::there(batch.constant())),
                              10,
                              20,
                              count,
                              columns,
                              teams,
                              out.data()};
  play::blocks(stage, 64, StageOnce<Real>::Staged::bytes);
  std::size_t wrong = 0;
  for (unsigned i = 0; i < samples; ++i) {
    for (unsigned c = 0; c < count; ++c) {
      Real const wanted = 10 + i < 37 ? batch.constant()(10 + i, 20 + c) : Real{0};
      wrong += out[i * count + c] == wanted ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("samples are staged column by column, zeros behind the last") {
  for (auto order : {weir::BatchOrder::batch_major, weir::BatchOrder::feature_major}) {
    check<float>(order, 64, 2);
    check<float>(order, 16, 8);
    check<double>(order, 128, 1);
  }
}

TEST_CASE("eight columns in a row, in any order, are in different banks") {
  for (unsigned column = 0; column < 512; column += 8) {
    std::set<unsigned> banks;
    for (unsigned i = 0; i < 8; ++i)
      banks.insert((column + i) * weir::detail::staged_bytes_of_column / 16 % 8);
    CHECK(banks.size() == 8);
  }
}
