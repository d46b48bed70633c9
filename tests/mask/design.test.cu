#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/host_device.hpp"
#include "weir/cuda/check.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/random.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/mask/galois_field.hpp"

namespace {

using weir::check_cuda;
using weir::GaloisField;
using Word = std::uint64_t;

/// Words of the device, released at the end.
class DeviceWords {
 public:
  explicit DeviceWords(std::size_t size) : bytes_(size * sizeof(Word)) {
    check_cuda(cudaMalloc(&data_, bytes_), "cudaMalloc");
  }
  ~DeviceWords() { cudaFree(data_); }
  DeviceWords(DeviceWords const&) = delete;
  DeviceWords& operator=(DeviceWords const&) = delete;

  Word* data() const { return static_cast<Word*>(data_); }
  void put(std::vector<Word> const& words) {
    check_cuda(cudaMemcpy(data_, words.data(), bytes_, cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  std::vector<Word> get() const {
    std::vector<Word> words(bytes_ / sizeof(Word));
    check_cuda(cudaMemcpy(words.data(), data_, bytes_, cudaMemcpyDeviceToHost), "cudaMemcpy");
    return words;
  }

 private:
  std::size_t bytes_;
  void* data_ = nullptr;
};

/// All that a design says of a row and of a column, as a number.
template <class Layout>
WEIR_HOST_DEVICE Word row_hash(Layout const& layout, std::size_t row) {
  Word hash = layout.row_degree(row) + layout.nnz();
  for (std::size_t slot = 0; slot < layout.row_degree(row); ++slot) {
    std::size_t const column = layout.column(row, slot);
    hash = hash * 1'000'003 + column;
    hash = hash * 1'000'003 + layout.value_index(row, slot);
    hash = hash * 1'000'003 + layout.row_slot(row, column);
    hash = hash * 1'000'003 + (layout.contains(row, column / 2) ? 1 : 0);
  }
  return hash;
}
template <class Layout>
WEIR_HOST_DEVICE Word column_hash(Layout const& layout, std::size_t column) {
  Word hash = layout.column_degree(column) + layout.value_count();
  for (std::size_t slot = 0; slot < layout.column_degree(column); ++slot) {
    std::size_t const row = layout.row(column, slot);
    hash = hash * 1'000'003 + row;
    hash = hash * 1'000'003 + layout.value_index_transposed(column, slot);
    hash = hash * 1'000'003 + layout.column_slot(column, row);
  }
  return hash;
}

template <class Layout>
__global__ void hash_design(Layout layout, Word* out) {
  std::size_t const i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x;
  if (i < layout.outputs()) out[i] = row_hash(layout, i);
  if (i < layout.inputs()) out[layout.outputs() + i] = column_hash(layout, i);
}

template <class Layout>
void check_same(Layout const& host, Layout const& device) {
  DeviceWords const result(host.outputs() + host.inputs());
  auto const blocks = static_cast<unsigned>((host.outputs() + host.inputs()) / 128 + 1);
  hash_design<<<blocks, 128>>>(device, result.data());
  check_cuda(cudaGetLastError(), "hash_design");
  std::vector<Word> expected;
  for (std::size_t r = 0; r < host.outputs(); ++r) expected.push_back(row_hash(host, r));
  for (std::size_t c = 0; c < host.inputs(); ++c) expected.push_back(column_hash(host, c));
  CHECK(result.get() == expected);
}

template <class Layout>
void check_layout(Layout const& layout) {
  std::vector<Word> tables(layout.table_bytes() / sizeof(Word) + 1);
  layout.write_tables(tables.data());
  DeviceWords device_tables(tables.size());
  device_tables.put(tables);
  check_same(layout, layout.with_tables(device_tables.data()));
}

void check_same_on_device(weir::AnyDesign const& design) {
  design.visit([](auto const& layout) { check_layout(layout); });
}

/// Sum, difference, product and inverse.
WEIR_HOST_DEVICE Word arithmetic(GaloisField const& field, std::uint32_t a, std::uint32_t b) {
  Word hash = field.add(a, b);
  hash = hash * 1'000'003 + field.subtract(a, b);
  hash = hash * 1'000'003 + field.multiply(a, b);
  return hash * 1'000'003 + (a == 0 ? 0 : field.inverse(a));
}

__global__ void multiply_all(GaloisField field, Word* out) {
  std::uint32_t const a = threadIdx.x;
  std::uint32_t const b = blockIdx.x;
  out[a * field.order() + b] = arithmetic(field, a, b);
}

}  // namespace

TEST_CASE("designs: every index is the same on the device") {
  check_same_on_device(weir::GroupDesign{{100, 90, 8}});
  check_same_on_device(weir::GroupDesign{{100, 90, 16, 5, 3}});
  check_same_on_device(weir::GroupDesign{{100, 90, 16, 12, 3}});
  check_same_on_device(weir::GroupDesign{{100, 90, 9}});
  check_same_on_device(weir::GroupDesign{{519, 514, 512, 5}});
  check_same_on_device(weir::GroupDesign{{30, 20, 1}});
  check_same_on_device(weir::CyclicDesign(7, {1, 2, 4}));
  check_same_on_device(weir::AnyDesign::of(weir::AffineGeometry(9)));
  check_same_on_device(weir::random_mask(60, 70, 500, 1));
  check_same_on_device(weir::AnyDesign(weir::GroupDesign{{7, 9, 4, 2}}).tiled(100, 130, 15));
  check_same_on_device(weir::AnyDesign::of(weir::AffineGeometry(3)).tiled(100, 80, 9));
}

TEST_CASE("designs with a formula: every index is the same on the device, from 4k bytes or none") {
  check_layout(weir::PaleyDesign(243).layout());
  check_layout(weir::TwinPrimeDesign(7).layout());
  weir::AffineGeometry const space(4, 3);
  check_same(space, space);
  weir::SteinerTripleSystem const bose(33), skolem(31);
  check_same(bose, bose);
  check_same(skolem, skolem);
}

TEST_CASE("GaloisField: arithmetic is the same on the device") {
  for (std::uint32_t q : {7u, 64u, 81u, 121u}) {
    CAPTURE(q);
    GaloisField const field(q);
    DeviceWords const result(q * q);
    multiply_all<<<q, q>>>(field, result.data());
    check_cuda(cudaGetLastError(), "multiply_all");
    std::vector<Word> expected;
    for (std::uint32_t a = 0; a < q; ++a) {
      for (std::uint32_t b = 0; b < q; ++b) expected.push_back(arithmetic(field, a, b));
    }
    CHECK(result.get() == expected);
  }
}
