// How weir-design multiplies on a GPU, on the stand-in: the program's own code, with doubles of the kernels,
// beside the same on the host.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "weir/mask/make_design.hpp"
#include "weir_design/typed_kernels.hpp"
#include "weir_sparsify/npy.hpp"

namespace {

using weir_design::KernelOptions;
using weir_design::Products;

/// Files of a product in a folder of their own, which is gone afterwards.
class Files {
 public:
  Files(std::size_t outputs, std::size_t inputs, std::size_t samples) {
    std::string name = (std::filesystem::temp_directory_path() / "weir-design-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    write("w", outputs, inputs);
    write("x", samples, inputs);
    write("dy", samples, outputs);
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  Files(Files const&) = delete;

  KernelOptions options(bool with_gradients) const {
    KernelOptions options{.values = folder_ + "/w", .multiply = folder_ + "/x", .result = "y"};
    if (!with_gradients) return options;
    options.gradient = folder_ + "/dy";
    options.input_gradient = "dx";
    options.weight_gradient = "dw";
    return options;
  }

 private:
  void write(std::string const& name, std::size_t rows, std::size_t columns) const {
    std::string text("\x93NUMPY\x01\0", 8);
    std::string const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                               ", " + std::to_string(columns) + "), }\n";
    text += static_cast<char>(header.size());
    text += '\0';
    text += header;
    std::vector<float> numbers;
    for (std::size_t i = 0; i < rows * columns; ++i)
      numbers.push_back(static_cast<float>((i * 7 + static_cast<std::size_t>(name[0])) % 17) / 4 - 2);
    text.append(reinterpret_cast<char const*>(numbers.data()), numbers.size() * sizeof(float));
    std::FILE* const file = std::fopen((folder_ + "/" + name).c_str(), "wb");
    REQUIRE(file != nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }

  std::string folder_;
};

template <class E>
Products run(weir::AnyDesign const& design, KernelOptions const& options, E const& executor) {
  return weir_design::TypedKernels<float, E>(design, options, weir::HostExecutor(), executor).run();
}

}  // namespace

TEST_CASE("weir-design has on a CUDA stream the products of the host, and leaves nothing behind") {
  for (weir::MaskOptions const& mask :
       {weir::MaskOptions{.outputs = 44, .inputs = 37, .density = 0.3},
        weir::MaskOptions{.family = "random", .outputs = 20, .inputs = 30, .density = 0.25},
        weir::MaskOptions{.outputs = 32, .inputs = 48, .density = 0.5, .block = 8},
        weir::MaskOptions{.family = "projective-plane", .order = 4}}) {
    CAPTURE(mask.family);
    auto const design = weir::make_design(mask).design;
    for (std::size_t const samples : {0u, 1u, 9u}) {
      CAPTURE(samples);
      Files const files(design.outputs(), design.inputs(), samples);
      Products const host = run(design, files.options(true), weir::HostExecutor());
      CleanSession const session;
      Products const gpu = run(design, files.options(true), weir::CudaExecutor());
      CHECK(gpu.result.bytes == host.result.bytes);
      CHECK(gpu.result.bytes.size() == samples * design.outputs() * sizeof(float));
      CHECK(gpu.input_gradient.value().bytes == host.input_gradient.value().bytes);
      CHECK(gpu.weight_gradient.value().bytes == host.weight_gradient.value().bytes);
      Products const forward = run(design, files.options(false), weir::CudaExecutor());
      CHECK(forward.result.bytes == host.result.bytes);
      CHECK(!forward.input_gradient);
      CHECK(session.default_stream_operations() == 0);
    }
  }
}
