// The three products of masked layers beside what a user would take instead: cuBLAS on the dense matrix,
// cuSPARSE on the same entries as CSR (single entries) or Blocked-ELL (tiles). Says from which density on the
// dense matrix is faster.
#include <cublas_v2.h>
#include <cusparse.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
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
void check(cusparseStatus_t status) {
  if (status != CUSPARSE_STATUS_SUCCESS) throw std::runtime_error(cusparseGetErrorString(status));
}

template <class Element>
Memory<Element> random(weir::CudaExecutor const& executor, std::size_t size, unsigned seed) {
  Memory<Element> memory(executor, size);
  bench::fill_random(executor.stream(), memory.data(), size, seed);
  return memory;
}

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
      : weights_(random<Element>(executor, side * side, 3)), gradient_(executor, side * side) {
    check(cublasCreate(&handle_));
    check(cublasSetStream(handle_, executor.stream()));
  }
  Dense(Dense const&) = delete;
  ~Dense() { cublasDestroy(handle_); }

  void multiply(Product product, Element const* x, Element* y, std::size_t samples) const {
    int const n = static_cast<int>(samples), s = static_cast<int>(side);
    auto const run = [&](cublasOperation_t left, cublasOperation_t right, int rows, int columns, int depth,
                         void const* a, void const* b, void* c, cudaDataType_t of_c) {
      float const one = 1, zero = 0;
      check(cublasGemmEx(handle_, left, right, rows, columns, depth, &one, a, type_of<Element>, s, b,
                         type_of<Element>, s, &zero, c, of_c, s, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
    };
    switch (product) {
      case Product::forward:
        return run(CUBLAS_OP_T, CUBLAS_OP_N, s, n, s, weights_.data(), x, y, type_of<Element>);
      case Product::input_gradient:
        return run(CUBLAS_OP_N, CUBLAS_OP_N, s, n, s, weights_.data(), x, y, type_of<Element>);
      default:
        return run(CUBLAS_OP_N, CUBLAS_OP_T, s, s, n, x, y, gradient_.data(), CUDA_R_32F);
    }
  }

 private:
  cublasHandle_t handle_ = nullptr;
  Memory<Element> weights_;
  Memory<float> gradient_;
};

/// The same mask as cuSPARSE has it, with a workspace that is as large as asked for.
template <class Element>
class Sparse {
 public:
  Sparse(weir::CudaExecutor const& executor, weir::BIBDMask<weir::AnyDesign> const& mask, std::size_t samples)
      : executor_(executor), samples_(static_cast<std::int64_t>(samples)), block_(mask.design().block()) {
    check(cusparseCreate(&handle_));
    check(cusparseSetStream(handle_, executor.stream()));
    if (block_ == 1) {
      make_rows(mask);
    } else {
      make_tiles(mask);
    }
  }
  Sparse(Sparse const&) = delete;
  ~Sparse() {
    cusparseDestroySpMat(matrix_);
    cusparseDestroy(handle_);
  }

  /// Whether cuSPARSE has it: tiles only forward.
  bool has(Product product) const { return block_ == 1 || product == Product::forward; }

  /// Column-major matrices of cuSPARSE are batches with samples one after another.
  void multiply(Product product, Element const* x, Element* y) {
    auto const rows = static_cast<std::int64_t>(side);
    cusparseDnMatDescr_t in, out;
    check(cusparseCreateDnMat(&in, rows, samples_, rows, const_cast<Element*>(x), type_of<Element>,
                              CUSPARSE_ORDER_COL));
    check(cusparseCreateDnMat(&out, rows, samples_, rows, y, type_of<Element>, CUSPARSE_ORDER_COL));
    float const one = 1, zero = 0;
    auto const turn =
        product == Product::input_gradient ? CUSPARSE_OPERATION_TRANSPOSE : CUSPARSE_OPERATION_NON_TRANSPOSE;
    auto const plain = CUSPARSE_OPERATION_NON_TRANSPOSE;
    auto const how = block_ == 1 ? CUSPARSE_SPMM_CSR_ALG2 : CUSPARSE_SPMM_BLOCKED_ELL_ALG1;
    if (product == Product::weight_gradient) {
      auto const turned = CUSPARSE_OPERATION_TRANSPOSE;
      reserve([&](std::size_t* bytes) {
        return cusparseSDDMM_bufferSize(handle_, plain, turned, &one, out, in, &zero, matrix_, CUDA_R_32F,
                                        CUSPARSE_SDDMM_ALG_DEFAULT, bytes);
      });
      check(cusparseSDDMM(handle_, plain, turned, &one, out, in, &zero, matrix_, CUDA_R_32F,
                          CUSPARSE_SDDMM_ALG_DEFAULT, workspace_[0].data()));
    } else {
      reserve([&](std::size_t* bytes) {
        return cusparseSpMM_bufferSize(handle_, turn, plain, &one, matrix_, in, &zero, out, CUDA_R_32F, how,
                                       bytes);
      });
      check(cusparseSpMM(handle_, turn, plain, &one, matrix_, in, &zero, out, CUDA_R_32F, how,
                         workspace_[0].data()));
    }
    cusparseDestroyDnMat(in);
    cusparseDestroyDnMat(out);
  }

 private:
  template <class Ask>
  void reserve(Ask const& ask) {
    std::size_t bytes = 0;
    check(ask(&bytes));
    if (!workspace_.empty() && workspace_[0].size() >= bytes) return;
    workspace_.clear();
    workspace_.emplace_back(executor_, bytes + 16);
  }

  void make_rows(weir::BIBDMask<weir::AnyDesign> const& mask) {
    std::vector<int> begin{0}, columns;
    for (std::size_t row = 0; row < side; ++row) {
      std::vector<char> live(side);
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot) live[mask.column(row, slot)] = 1;
      for (std::size_t column = 0; column < side; ++column) {
        if (live[column] != 0) columns.push_back(static_cast<int>(column));
      }
      begin.push_back(static_cast<int>(columns.size()));
    }
    auto const count = static_cast<std::int64_t>(columns.size());
    indices_.push_back(on_device(executor_, begin));
    indices_.push_back(on_device(executor_, columns));
    values_.push_back(random<Element>(executor_, columns.size(), 5));
    check(cusparseCreateCsr(&matrix_, side, side, count, indices_[0].data(), indices_[1].data(),
                            values_[0].data(), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I,
                            CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
  }

  void make_tiles(weir::BIBDMask<weir::AnyDesign> const& mask) {
    std::vector<int> columns;  // of tiles, line by line, equally many in each
    for (std::size_t row = 0; row < side; row += block_) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); slot += block_)
        columns.push_back(static_cast<int>(mask.column(row, slot) / block_));
    }
    std::size_t const width = columns.size() / (side / block_) * block_;
    indices_.push_back(on_device(executor_, columns));
    values_.push_back(random<Element>(executor_, side * width, 5));
    check(cusparseCreateBlockedEll(&matrix_, side, side, block_, static_cast<std::int64_t>(width),
                                   indices_[0].data(), values_[0].data(), CUSPARSE_INDEX_32I,
                                   CUSPARSE_INDEX_BASE_ZERO, type_of<Element>));
  }

  weir::CudaExecutor executor_;
  std::int64_t samples_;
  std::size_t block_;
  cusparseHandle_t handle_ = nullptr;
  cusparseSpMatDescr_t matrix_ = nullptr;
  std::vector<Memory<int>> indices_;
  std::vector<Memory<Element>> values_;
  std::vector<Memory<std::byte>> workspace_;
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
  auto const values = random<Element>(executor, mask.value_count(), 1);
  auto const x = random<Element>(executor, samples * side, 2),
             y = random<Element>(executor, samples * side, 4);
  Memory<float> const gradient(executor, mask.value_count());
  weir::TensorView<Element const, weir::DeviceSpace> const weights = values.view();
  auto const batch = [&](Element* data) { return weir::batch_major<weir::DeviceSpace>(data, samples, side); };
  weir::DeviceBatch<Element const> const in = batch(x.data());
  Sparse<Element> sparse(executor, mask, samples);
  double over_dense = 0;
  for (Product const product : products) {
    std::vector<bench::Contender> contenders{
        {"weir",
         [&](std::size_t) {
           bound.visit([&](auto const& layout) {
             if (product == Product::forward)
               multiply_masked(executor, layout, weights, in, batch(y.data()));
             else if (product == Product::input_gradient)
               multiply_masked_transposed(executor, layout, weights, in, batch(y.data()));
             else
               masked_weight_gradient(executor, layout, batch(y.data()), in, gradient.view(),
                                      weir::GradientMode::overwrite);
           });
         }},
        {"cuBLAS, dense", [&](std::size_t) { dense.multiply(product, x.data(), y.data(), samples); }}};
    if (sparse.has(product)) {
      contenders.push_back({block == 1 ? "cuSPARSE CSR" : "cuSPARSE Blocked-ELL",
                            [&](std::size_t) { sparse.multiply(product, x.data(), y.data()); }});
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
        figure.bytes = samples == 1 ? static_cast<double>(mask.value_count() * sizeof(Element)) : 0;
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
    for (std::size_t const samples : {1, 8, 32, 128, 512, 2048, 4096}) {
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
    auto const values = random<float>(executor, mask.value_count(), 1), x = random<float>(executor, large, 2);
    Memory<float> const y(executor, large);
    weir::TensorView<float const, weir::DeviceSpace> const weights = values.view();
    std::size_t const bytes = mask.value_count() * sizeof(float);
    bench::CopyRoof const copy(executor, bytes);
    weir::DeviceBatch<float const> const in = weir::batch_major<weir::DeviceSpace>(x.data(), 1, large);
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {copy.contender(), {"weir multiply_masked", [&](std::size_t) {
                              bound.visit([&](auto const& layout) {
                                multiply_masked(executor, layout, weights, in,
                                                weir::batch_major<weir::DeviceSpace>(y.data(), 1, large));
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
