#pragma once

#include <cusparse.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <vector>

#include "cuda/product.hpp"
#include "cuda/rotating.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/bibd_mask.hpp"

namespace bench {

struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void check(cusparseStatus_t status) {
  if (status == CUSPARSE_STATUS_NOT_SUPPORTED) throw NotSupported(cusparseGetErrorString(status));
  if (status != CUSPARSE_STATUS_SUCCESS) throw std::runtime_error(cusparseGetErrorString(status));
}

/// A mask, or the transposed one, as cuSPARSE has it: as CSR, or where there are tiles as Blocked-ELL.
template <class Element>
class SparseTables {
 public:
  SparseTables(weir::CudaExecutor const& executor, weir::BIBDMask<weir::AnyDesign> const& mask,
               bool transposed)
      : SparseTables(executor, mask.design().block(),
                     mask.design().block() == 1 ? rows_of(mask, transposed) : tiles_of(mask)) {}

  bool has_tiles() const { return block_ != 1; }
  Element* values(std::size_t turn) const { return values_.at(turn); }
  std::int64_t rows() const { return static_cast<std::int64_t>(lists_.rows); }
  std::int64_t columns() const { return static_cast<std::int64_t>(lists_.columns); }

  cusparseSpMatDescr_t describe() const {
    cusparseSpMatDescr_t matrix = nullptr;
    if (has_tiles()) {
      auto const width = static_cast<std::int64_t>(indices_.size() / (lists_.rows / block_) * block_),
                 block = static_cast<std::int64_t>(block_);
      check(cusparseCreateBlockedEll(&matrix, rows(), columns(), block, width, indices_.data(), values(0),
                                     CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
    } else {
      check(cusparseCreateCsr(&matrix, rows(), columns(), static_cast<std::int64_t>(indices_.size()),
                              begin_.data(), indices_.data(), values(0), CUSPARSE_INDEX_32I,
                              CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
    }
    return matrix;
  }

 private:
  struct Lists {
    std::size_t rows, columns;
    std::vector<int> begin, indices;
  };

  SparseTables(weir::CudaExecutor const& executor, std::size_t block, Lists const& lists)
      : block_(block),
        lists_(lists),
        begin_(on_device(executor, lists.begin)),
        indices_(on_device(executor, lists.indices)),
        values_(executor, lists.indices.size() * block * block, 5) {}

  static Lists rows_of(weir::BIBDMask<weir::AnyDesign> const& mask, bool transposed) {
    std::size_t const rows = mask.outputs(), columns = mask.inputs();
    std::vector<std::vector<int>> lines(transposed ? columns : rows);  // sorted: rows and columns ascend
    std::vector<char> live(columns);
    for (std::size_t row = 0; row < rows; ++row) {
      live.assign(columns, 0);
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot) live[mask.column(row, slot)] = 1;
      for (std::size_t column = 0; column < columns; ++column) {
        if (live[column] == 0) continue;
        lines[transposed ? column : row].push_back(static_cast<int>(transposed ? row : column));
      }
    }
    Lists lists{lines.size(), transposed ? rows : columns, {0}, {}};
    for (auto const& line : lines) {
      lists.indices.insert(lists.indices.end(), line.begin(), line.end());
      lists.begin.push_back(static_cast<int>(lists.indices.size()));
    }
    return lists;
  }

  /// Columns of tiles, line by line, equally many in each.
  static Lists tiles_of(weir::BIBDMask<weir::AnyDesign> const& mask) {
    std::size_t const block = mask.design().block();
    Lists lists{mask.outputs(), mask.inputs(), {0}, {}};
    for (std::size_t row = 0; row < lists.rows; row += block) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); slot += block)
        lists.indices.push_back(static_cast<int>(mask.column(row, slot) / block));
    }
    return lists;
  }

  std::size_t block_;
  Lists lists_;
  Memory<int> begin_, indices_;
  Rotating<Element> values_;
};

/// How cuSPARSE is asked for a product. With the features of a sample side by side its dense matrices are
/// column-major.
struct Way {
  char const* name;
  bool is_vector;
  int algorithm;
  bool by_sample;
};
inline constexpr Way vector_ways[] = {{"cuSPARSE SpMV ALG1", true, CUSPARSE_SPMV_CSR_ALG1, true},
                                      {"cuSPARSE SpMV ALG2", true, CUSPARSE_SPMV_CSR_ALG2, true}};
inline constexpr Way row_ways[] = {{"cuSPARSE CSR ALG1", false, CUSPARSE_SPMM_CSR_ALG1, true},
                                   {"cuSPARSE CSR ALG2", false, CUSPARSE_SPMM_CSR_ALG2, true},
                                   {"cuSPARSE CSR ALG3", false, CUSPARSE_SPMM_CSR_ALG3, true},
                                   {"cuSPARSE CSR ALG1, by feature", false, CUSPARSE_SPMM_CSR_ALG1, false},
                                   {"cuSPARSE CSR ALG2, by feature", false, CUSPARSE_SPMM_CSR_ALG2, false},
                                   {"cuSPARSE CSR ALG3, by feature", false, CUSPARSE_SPMM_CSR_ALG3, false}};
inline constexpr Way tile_ways[] = {
    {"cuSPARSE Blocked-ELL", false, CUSPARSE_SPMM_BLOCKED_ELL_ALG1, true},
    {"cuSPARSE Blocked-ELL, by feature", false, CUSPARSE_SPMM_BLOCKED_ELL_ALG1, false}};
inline constexpr Way gradient_ways[] = {
    {"cuSPARSE SDDMM", false, CUSPARSE_SDDMM_ALG_DEFAULT, true},
    {"cuSPARSE SDDMM, by feature", false, CUSPARSE_SDDMM_ALG_DEFAULT, false}};

/// A product by cuSPARSE. What can be done once for all calls is done before.
template <class Element>
class SparseProduct {
 public:
  SparseProduct(weir::CudaExecutor const& executor, cusparseHandle_t handle,
                SparseTables<Element> const& tables, Way const& way, bool is_gradient, std::size_t samples,
                Rotating<Element> const& in, Rotating<Element> const& out)
      : handle_(handle),
        tables_(tables),
        way_(way),
        is_gradient_(is_gradient),
        from_(in),
        to_(out),
        matrix_(tables.describe()),
        workspace_(executor, prepare(samples)) {
    void* const workspace = workspace_.data();
    if (is_gradient_) {
      check(cusparseSDDMM_preprocess(handle_, plain, turned, &one, out_, in_, &zero, matrix_, CUDA_R_32F,
                                     CUSPARSE_SDDMM_ALG_DEFAULT, workspace));
    } else if (way_.is_vector) {
      check(cusparseSpMV_preprocess(handle_, plain, &one, matrix_, vector_in_, &zero, vector_out_, CUDA_R_32F,
                                    spmv(), workspace));
    } else {
      check(cusparseSpMM_preprocess(handle_, plain, plain, &one, matrix_, in_, &zero, out_, CUDA_R_32F,
                                    spmm(), workspace));
    }
    executor.synchronize();
  }
  SparseProduct(SparseProduct const&) = delete;
  ~SparseProduct() {
    if (way_.is_vector) {
      cusparseDestroyDnVec(vector_in_);
      cusparseDestroyDnVec(vector_out_);
    } else {
      cusparseDestroyDnMat(in_);
      cusparseDestroyDnMat(out_);
    }
    cusparseDestroySpMat(matrix_);
  }

  Contender contender() {
    return {way_.name, [this](std::size_t turn) { enqueue(turn); }};
  }

 private:
  static constexpr auto plain = CUSPARSE_OPERATION_NON_TRANSPOSE;
  static constexpr auto turned = CUSPARSE_OPERATION_TRANSPOSE;
  static constexpr float one = 1, zero = 0;

  cusparseSpMVAlg_t spmv() const { return static_cast<cusparseSpMVAlg_t>(way_.algorithm); }
  cusparseSpMMAlg_t spmm() const { return static_cast<cusparseSpMMAlg_t>(way_.algorithm); }

  /// Describes the dense operands. The bytes of the workspace.
  std::size_t prepare(std::size_t samples) {
    auto const count = static_cast<std::int64_t>(samples);
    std::size_t bytes = 0;
    if (way_.is_vector) {
      check(cusparseCreateDnVec(&vector_in_, tables_.columns(), from_.at(0), type_of<Element>));
      check(cusparseCreateDnVec(&vector_out_, tables_.rows(), to_.at(0), type_of<Element>));
      check(cusparseSpMV_bufferSize(handle_, plain, &one, matrix_, vector_in_, &zero, vector_out_, CUDA_R_32F,
                                    spmv(), &bytes));
      return bytes + 16;
    }
    auto const order = way_.by_sample ? CUSPARSE_ORDER_COL : CUSPARSE_ORDER_ROW;
    auto const line = [&](std::int64_t features) { return way_.by_sample ? features : count; };
    check(cusparseCreateDnMat(&in_, tables_.columns(), count, line(tables_.columns()), from_.at(0),
                              type_of<Element>, order));
    check(cusparseCreateDnMat(&out_, tables_.rows(), count, line(tables_.rows()), to_.at(0), type_of<Element>,
                              order));
    if (is_gradient_) {
      check(cusparseSDDMM_bufferSize(handle_, plain, turned, &one, out_, in_, &zero, matrix_, CUDA_R_32F,
                                     CUSPARSE_SDDMM_ALG_DEFAULT, &bytes));
    } else {
      check(cusparseSpMM_bufferSize(handle_, plain, plain, &one, matrix_, in_, &zero, out_, CUDA_R_32F,
                                    spmm(), &bytes));
    }
    return bytes + 16;
  }

  void enqueue(std::size_t turn) {
    check(cusparseSpMatSetValues(matrix_, tables_.values(turn)));
    void* const workspace = workspace_.data();
    if (way_.is_vector) {
      check(cusparseDnVecSetValues(vector_in_, from_.at(turn)));
      check(cusparseDnVecSetValues(vector_out_, to_.at(turn)));
      return check(cusparseSpMV(handle_, plain, &one, matrix_, vector_in_, &zero, vector_out_, CUDA_R_32F,
                                spmv(), workspace));
    }
    check(cusparseDnMatSetValues(in_, from_.at(turn)));
    check(cusparseDnMatSetValues(out_, to_.at(turn)));
    if (is_gradient_) {
      check(cusparseSDDMM(handle_, plain, turned, &one, out_, in_, &zero, matrix_, CUDA_R_32F,
                          CUSPARSE_SDDMM_ALG_DEFAULT, workspace));
    } else {
      check(cusparseSpMM(handle_, plain, plain, &one, matrix_, in_, &zero, out_, CUDA_R_32F, spmm(),
                         workspace));
    }
  }

  cusparseHandle_t handle_;
  SparseTables<Element> const& tables_;
  Way way_;
  bool is_gradient_;
  Rotating<Element> const& from_;
  Rotating<Element> const& to_;
  cusparseSpMatDescr_t matrix_ = nullptr;
  cusparseDnMatDescr_t in_ = nullptr, out_ = nullptr;
  cusparseDnVecDescr_t vector_in_ = nullptr, vector_out_ = nullptr;
  Memory<std::byte> workspace_;
};

/// The products of a mask by cuSPARSE, each in the way that is fastest. dX has a transposed copy of the
/// matrix, which a trainer would have to keep.
template <class Element>
class Sparse {
 public:
  Sparse(weir::CudaExecutor const& executor, weir::BIBDMask<weir::AnyDesign> const& mask)
      : executor_(executor), tables_(executor, mask, false), transposed_(executor, mask, true) {
    check(cusparseCreate(&handle_));
    check(cusparseSetStream(handle_, executor.stream()));
  }
  Sparse(Sparse const&) = delete;
  ~Sparse() { cusparseDestroy(handle_); }

  /// Whether cuSPARSE has it: tiles only forward.
  bool has(Product product) const { return !tables_.has_tiles() || product == Product::forward; }

  std::unique_ptr<SparseProduct<Element>> fastest(Product product, std::size_t samples,
                                                  Rotating<Element> const& in,
                                                  Rotating<Element> const& out) const {
    std::vector<Way> ways;
    auto const take = [&](auto const& some) { ways.insert(ways.end(), std::begin(some), std::end(some)); };
    bool const is_gradient = product == Product::weight_gradient;
    if (is_gradient) {
      take(gradient_ways);
    } else if (tables_.has_tiles()) {
      take(tile_ways);
    } else {
      take(row_ways);
      if (samples == 1) take(vector_ways);
    }
    auto const make = [&](Way const& way) {
      return std::make_unique<SparseProduct<Element>>(
          executor_, handle_, product == Product::input_gradient ? transposed_ : tables_, way, is_gradient,
          samples, in, out);
    };
    double least = 0;
    Way const* best = nullptr;
    for (Way const& way : ways) {
      double time = 0;
      try {
        auto const product_by = make(way);
        time = time_in_turns(executor_.stream(), {product_by->contender()}, 3)[0].median;
      } catch (NotSupported const&) {
        continue;
      }
      if (best != nullptr && time >= least) continue;
      best = &way;
      least = time;
    }
    if (best == nullptr) throw std::runtime_error("cuSPARSE has no way to multiply");
    return make(*best);
  }

 private:
  weir::CudaExecutor executor_;
  SparseTables<Element> tables_, transposed_;
  cusparseHandle_t handle_ = nullptr;
};

}  // namespace bench
