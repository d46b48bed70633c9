// The three products of masked layers beside what a user would take instead: cuBLAS on the dense matrix,
// cuSPARSE on the same entries as CSR (single entries) or Blocked-ELL (tiles), by the algorithm and with the
// order of the dense matrices that are fastest for it. Says from which density on the dense matrix is faster.
#include <cublas_v2.h>
#include <cusparse.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"

namespace {

constexpr std::size_t side = 4096;
template <class Element>
using Memory = weir::Buffer<Element, weir::CudaExecutor>;
using weir::bfloat16;

void check(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw std::runtime_error(cublasGetStatusString(status));
}
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};
void check(cusparseStatus_t status) {
  if (status == CUSPARSE_STATUS_NOT_SUPPORTED) throw NotSupported(cusparseGetErrorString(status));
  if (status != CUSPARSE_STATUS_SUCCESS) throw std::runtime_error(cusparseGetErrorString(status));
}

template <class Element>
Memory<Element> random(weir::CudaExecutor const& executor, std::size_t size, unsigned seed) {
  Memory<Element> memory(executor, size);
  bench::fill_random(executor.stream(), memory.data(), size, seed);
  return memory;
}

/// As many of an array as the L2 does not keep between two turns.
template <class Element>
class Rotating {
 public:
  Rotating(weir::CudaExecutor const& executor, std::size_t size, unsigned seed)
      : size_((size + 127) / 128 * 128),
        sets_(bench::rotation(size_ * sizeof(Element))),
        memory_(random<Element>(executor, sets_ * size_, seed)) {}

  Element* at(std::size_t turn) const { return memory_.data() + turn % sets_ * size_; }

 private:
  std::size_t size_;
  std::size_t sets_;
  Memory<Element> memory_;
};

template <class Element>
Memory<Element> on_device(weir::CudaExecutor const& executor, std::vector<Element> const& content) {
  Memory<Element> memory(executor, content.size());
  weir::from_host(executor, std::span<Element const>(content), memory.view());
  return memory;
}

template <class Element>
constexpr cudaDataType_t type_of = std::is_same_v<Element, float> ? CUDA_R_32F : CUDA_R_16BF;

enum class Product { forward, input_gradient, weight_gradient };
constexpr Product products[] = {Product::forward, Product::input_gradient, Product::weight_gradient};
char const* name_of(Product product) {
  return product == Product::forward ? "Y = X W^T" : product == Product::input_gradient ? "dX = dY W" : "dW";
}

/// The dense products: X and Y lie sample by sample, W row by row. float without TF32.
template <class Element>
class Dense {
 public:
  Dense(weir::CudaExecutor const& executor)
      : weights_(executor, side * side, 3), gradient_(executor, side * side, 6) {
    check(cublasCreate(&handle_));
    check(cublasSetStream(handle_, executor.stream()));
  }
  Dense(Dense const&) = delete;
  ~Dense() { cublasDestroy(handle_); }

  void multiply(Product product, Element const* x, Element* y, std::size_t samples, std::size_t turn) const {
    int const n = static_cast<int>(samples), s = static_cast<int>(side);
    auto const run = [&](cublasOperation_t left, cublasOperation_t right, int rows, int columns, int depth,
                         void const* a, void const* b, void* c, cudaDataType_t of_c) {
      float const one = 1, zero = 0;
      check(cublasGemmEx(handle_, left, right, rows, columns, depth, &one, a, type_of<Element>, s, b,
                         type_of<Element>, s, &zero, c, of_c, s, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
    };
    switch (product) {
      case Product::forward:
        return run(CUBLAS_OP_T, CUBLAS_OP_N, s, n, s, weights_.at(turn), x, y, type_of<Element>);
      case Product::input_gradient:
        return run(CUBLAS_OP_N, CUBLAS_OP_N, s, n, s, weights_.at(turn), x, y, type_of<Element>);
      default:
        return run(CUBLAS_OP_N, CUBLAS_OP_T, s, s, n, x, y, gradient_.at(turn), CUDA_R_32F);
    }
  }

 private:
  cublasHandle_t handle_ = nullptr;
  Rotating<Element> weights_;
  Rotating<float> gradient_;
};

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

  cusparseSpMatDescr_t describe() const {
    cusparseSpMatDescr_t matrix = nullptr;
    if (has_tiles()) {
      auto const width = static_cast<std::int64_t>(columns_.size() / (side / block_) * block_),
                 block = static_cast<std::int64_t>(block_);
      check(cusparseCreateBlockedEll(&matrix, side, side, block, width, columns_.data(), values(0),
                                     CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
    } else {
      check(cusparseCreateCsr(&matrix, side, side, static_cast<std::int64_t>(columns_.size()), begin_.data(),
                              columns_.data(), values(0), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I,
                              CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
    }
    return matrix;
  }

 private:
  struct Lists {
    std::vector<int> begin, columns;
  };

  SparseTables(weir::CudaExecutor const& executor, std::size_t block, Lists const& lists)
      : block_(block),
        begin_(on_device(executor, lists.begin)),
        columns_(on_device(executor, lists.columns)),
        values_(executor, lists.columns.size() * block * block, 5) {}

  static Lists rows_of(weir::BIBDMask<weir::AnyDesign> const& mask, bool transposed) {
    std::vector<std::vector<int>> lines(side);  // sorted, as rows ascend and columns are sorted below
    std::vector<char> live(side);
    for (std::size_t row = 0; row < side; ++row) {
      live.assign(side, 0);
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot) live[mask.column(row, slot)] = 1;
      for (std::size_t column = 0; column < side; ++column) {
        if (live[column] == 0) continue;
        lines[transposed ? column : row].push_back(static_cast<int>(transposed ? row : column));
      }
    }
    Lists lists{{0}, {}};
    for (auto const& line : lines) {
      lists.columns.insert(lists.columns.end(), line.begin(), line.end());
      lists.begin.push_back(static_cast<int>(lists.columns.size()));
    }
    return lists;
  }

  /// Columns of tiles, line by line, equally many in each.
  static Lists tiles_of(weir::BIBDMask<weir::AnyDesign> const& mask) {
    std::size_t const block = mask.design().block();
    Lists lists{{0}, {}};
    for (std::size_t row = 0; row < side; row += block) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); slot += block)
        lists.columns.push_back(static_cast<int>(mask.column(row, slot) / block));
    }
    return lists;
  }

  std::size_t block_;
  Memory<int> begin_, columns_;
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
constexpr Way vector_ways[] = {{"cuSPARSE SpMV ALG1", true, CUSPARSE_SPMV_CSR_ALG1, true},
                               {"cuSPARSE SpMV ALG2", true, CUSPARSE_SPMV_CSR_ALG2, true}};
constexpr Way row_ways[] = {{"cuSPARSE CSR ALG1", false, CUSPARSE_SPMM_CSR_ALG1, true},
                            {"cuSPARSE CSR ALG2", false, CUSPARSE_SPMM_CSR_ALG2, true},
                            {"cuSPARSE CSR ALG3", false, CUSPARSE_SPMM_CSR_ALG3, true},
                            {"cuSPARSE CSR ALG1, by feature", false, CUSPARSE_SPMM_CSR_ALG1, false},
                            {"cuSPARSE CSR ALG2, by feature", false, CUSPARSE_SPMM_CSR_ALG2, false},
                            {"cuSPARSE CSR ALG3, by feature", false, CUSPARSE_SPMM_CSR_ALG3, false}};
constexpr Way tile_ways[] = {
    {"cuSPARSE Blocked-ELL", false, CUSPARSE_SPMM_BLOCKED_ELL_ALG1, true},
    {"cuSPARSE Blocked-ELL, by feature", false, CUSPARSE_SPMM_BLOCKED_ELL_ALG1, false}};
constexpr Way gradient_ways[] = {{"cuSPARSE SDDMM", false, CUSPARSE_SDDMM_ALG_DEFAULT, true},
                                 {"cuSPARSE SDDMM, by feature", false, CUSPARSE_SDDMM_ALG_DEFAULT, false}};

/// A product by cuSPARSE. What can be done once for all calls is done before.
template <class Element>
class SparseProduct {
 public:
  SparseProduct(weir::CudaExecutor const& executor, cusparseHandle_t handle,
                SparseTables<Element> const& tables, Way const& way, bool is_gradient, std::size_t samples,
                Rotating<Element> const& x, Rotating<Element> const& y)
      : handle_(handle),
        tables_(tables),
        way_(way),
        is_gradient_(is_gradient),
        x_(x),
        y_(y),
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

  bench::Contender contender() {
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
    auto const rows = static_cast<std::int64_t>(side), columns = static_cast<std::int64_t>(samples);
    std::size_t bytes = 0;
    if (way_.is_vector) {
      check(cusparseCreateDnVec(&vector_in_, rows, x_.at(0), type_of<Element>));
      check(cusparseCreateDnVec(&vector_out_, rows, y_.at(0), type_of<Element>));
      check(cusparseSpMV_bufferSize(handle_, plain, &one, matrix_, vector_in_, &zero, vector_out_, CUDA_R_32F,
                                    spmv(), &bytes));
      return bytes + 16;
    }
    auto const order = way_.by_sample ? CUSPARSE_ORDER_COL : CUSPARSE_ORDER_ROW;
    std::int64_t const line = way_.by_sample ? rows : columns;
    check(cusparseCreateDnMat(&in_, rows, columns, line, x_.at(0), type_of<Element>, order));
    check(cusparseCreateDnMat(&out_, rows, columns, line, y_.at(0), type_of<Element>, order));
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
      check(cusparseDnVecSetValues(vector_in_, x_.at(turn)));
      check(cusparseDnVecSetValues(vector_out_, y_.at(turn)));
      return check(cusparseSpMV(handle_, plain, &one, matrix_, vector_in_, &zero, vector_out_, CUDA_R_32F,
                                spmv(), workspace));
    }
    check(cusparseDnMatSetValues(in_, x_.at(turn)));
    check(cusparseDnMatSetValues(out_, y_.at(turn)));
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
  Rotating<Element> const& x_;
  Rotating<Element> const& y_;
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
                                                  Rotating<Element> const& x,
                                                  Rotating<Element> const& y) const {
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
          samples, x, y);
    };
    double least = 0;
    Way const* best = nullptr;
    for (Way const& way : ways) {
      double time = 0;
      try {
        auto const product_by = make(way);
        time = bench::time_in_turns(executor_.stream(), {product_by->contender()}, 3)[0].median;
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

/// What a goal is held against, and how it follows from density and batch; 0: none.
template <class Element>
double goal_of(std::uint32_t block, double density, std::size_t samples) {
  if (block == 1) return samples >= 128 ? 3.0 : 1.0;  // over cuSPARSE
  if (samples != side || (density != 0.125 && density != 0.25)) return 0;
  return (block == 128 ? 0.88 : block == 64 ? 0.75 : 0) / density;  // over cuBLAS
}

struct Speeds {
  double density;
  double over_dense;
};

/// All products of one mask and batch; how fast the forward one is, over the dense.
template <class Element>
double measure(bench::Report& report, weir::CudaExecutor const& executor, Dense<Element> const& dense,
               std::uint32_t block, double density, std::size_t samples) {
  weir::MaskOptions options{.outputs = side, .inputs = side, .density = density, .block = block};
  options.family = "hadamard-group";
  weir::BIBDMask<weir::AnyDesign> const mask(options);
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const bound(executor, mask);
  std::size_t const count = mask.value_count();
  Rotating<Element> const values(executor, count, 1), x(executor, samples * side, 2),
      y(executor, samples * side, 4);
  Rotating<float> const gradient(executor, count, 7);
  auto const batch = [&](Element* data) { return weir::batch_major<weir::DeviceSpace>(data, samples, side); };
  Sparse<Element> const sparse(executor, mask);
  double over_dense = 0;
  for (Product const product : products) {
    std::vector<bench::Contender> contenders{
        {"weir",
         [&](std::size_t turn) {
           weir::TensorView<Element const, weir::DeviceSpace> const weights(values.at(turn), count);
           weir::DeviceBatch<Element const> const in = batch(x.at(turn));
           auto const out = batch(y.at(turn));
           weir::TensorView<float, weir::DeviceSpace> const sums(gradient.at(turn), count);
           bound.visit([&](auto const& layout) {
             if (product == Product::forward)
               multiply_masked(executor, layout, weights, in, out);
             else if (product == Product::input_gradient)
               multiply_masked_transposed(executor, layout, weights, in, out);
             else
               masked_weight_gradient(executor, layout, out, in, sums, weir::GradientMode::overwrite);
           });
         }},
        {"cuBLAS, dense",
         [&](std::size_t turn) { dense.multiply(product, x.at(turn), y.at(turn), samples, turn); }}};
    std::unique_ptr<SparseProduct<Element>> of_sparse;
    if (sparse.has(product)) {
      of_sparse = sparse.fastest(product, samples, x, y);
      contenders.push_back(of_sparse->contender());
    }
    auto const timings = bench::time_in_turns(executor.stream(), contenders, 11);
    std::size_t const against = block == 1 ? 2 : 1;
    double const goal = goal_of<Element>(block, density, samples);
    char text[128];
    std::snprintf(text, sizeof text, "%s, %s, tiles of %u, d = 1/%g, batch %zu", name_of(product),
                  sizeof(Element) == 4 ? "float" : "bfloat16", block, 1 / density, samples);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      bench::Figure figure{.measured = text, .what = contenders[i].what, .timing = timings[i]};
      if (i == 0) {
        figure.bytes = samples == 1 ? static_cast<double>(count * sizeof(Element)) : 0;
        figure.roof = contenders[against].what;
        figure.roof_value = timings[against].median;
        figure.ratio = timings[against].median / timings[0].median;
        if (goal != 0) figure.goal = bench::Goal::ratio_at_least(goal);
      }
      report.add(figure);
    }
    if (product == Product::forward) over_dense = timings[1].median / timings[0].median;
  }
  return over_dense;
}

/// The density at which the dense product is as fast, between two that were measured.
void print_crossover(std::uint32_t block, std::size_t samples, std::vector<Speeds> const& speeds) {
  double crossover = 0;
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    if (speeds[i].over_dense < 1) break;
    crossover = speeds[i].density * speeds[i].over_dense;  // time is about proportional to density
  }
  std::printf("tiles of %u, batch %zu: dense is faster from a density of about %.3f on\n", block, samples,
              crossover < 1 ? crossover : 1.0);
}

template <class Element>
void measure_all(bench::Report& report, std::vector<std::uint32_t> const& blocks) {
  weir::CudaExecutor const executor;
  Dense<Element> const dense(executor);
  for (std::uint32_t const block : blocks) {
    for (std::size_t const samples : {1u, 8u, 32u, 128u, 512u, 2048u, 4096u}) {
      std::vector<Speeds> speeds;
      for (double const density : {1 / 64.0, 1 / 32.0, 1 / 16.0, 1 / 8.0, 1 / 4.0}) {
        if (block == 128 && density < 1 / 32.0) continue;  // of 32 tiles a line has less than one
        speeds.push_back({density, measure(report, executor, dense, block, density, samples)});
      }
      print_crossover(block, samples, speeds);
    }
  }
}

void tiles(bench::Report& report) {
  measure_all<bfloat16>(report, {64, 128});
}
void entries(bench::Report& report) {
  measure_all<float>(report, {1});
}

/// A batch of one is bound by reading the values: beside a copy of as many bytes.
void one_sample(bench::Report& report) {
  weir::CudaExecutor const executor;
  for (double const density : {1 / 16.0, 1 / 4.0}) {
    constexpr std::size_t large = 16384;
    weir::MaskOptions options{.outputs = large, .inputs = large, .density = density};
    options.family = "hadamard-group";
    weir::BIBDMask<weir::AnyDesign> const mask(options);
    weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const bound(executor, mask);
    std::size_t const count = mask.value_count();
    Rotating<float> const values(executor, count, 1), x(executor, large, 2), y(executor, large, 4);
    std::size_t const bytes = count * sizeof(float);
    bench::CopyRoof const copy(executor, bytes);
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {copy.contender(), {"weir multiply_masked", [&](std::size_t turn) {
                              weir::TensorView<float const, weir::DeviceSpace> const weights(values.at(turn),
                                                                                             count);
                              weir::DeviceBatch<float const> const in =
                                  weir::batch_major<weir::DeviceSpace>(x.at(turn), 1, large);
                              bound.visit([&](auto const& layout) {
                                multiply_masked(executor, layout, weights, in,
                                                weir::batch_major<weir::DeviceSpace>(y.at(turn), 1, large));
                              });
                            }}});
    report.add({.measured = "batch 1, 16384 x 16384, d = 1/" + std::to_string(static_cast<int>(1 / density)),
                .what = "weir multiply_masked",
                .timing = timings[1],
                .bytes = static_cast<double>(bytes),
                .roof = "copy",
                .roof_value = timings[0].median,
                .ratio = timings[0].median / timings[1].median,
                .goal = bench::Goal::ratio_at_least(0.8)});
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments,
                    {{"batch of one", one_sample}, {"tiles", tiles}, {"single entries", entries}});
}
