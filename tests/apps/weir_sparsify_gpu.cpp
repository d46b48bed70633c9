// weir-sparsify on a GPU, as it is called: a part of the program that is skipped where there is none.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sparsify_files.hpp"

namespace {

using namespace weir_test;

struct Outputs {
  Json steps;
  std::vector<std::int32_t> indices;
  std::string values;
  std::string residual;
};

Outputs run(Files const& files, std::string const& arguments) {
  Outputs outputs{steps(arguments + files.outputs()), read_npy<std::int32_t>(files / "i.npy", "<i4"),
                  content(files / "v.npy"), content(files / "r.npy")};
  return outputs;
}

}  // namespace

TEST_CASE("weir-sparsify on a GPU selects what the host does, bit for bit, with and without feedback") {
  Files const files;
  std::string const gradients = files / "EXP " + files / "GP3 " + files / "WEI ";
  for (std::string const estimator :
       {"histogram", "topk", "exponential --stages 3", "generalized-pareto --stages adaptive", "dgc",
        "redsync", "redsync-trim", "gaussian-k", "random-k"}) {
    for (std::string const more : {"", " --feedback", " --feedback --capacity 50"}) {
      CAPTURE(estimator);
      CAPTURE(more);
      std::string const arguments =
          gradients + "--density 0.01 --estimator " + estimator + more + " --steps 3";
      Outputs const host = run(files, arguments);
      Outputs const gpu = run(files, arguments + " --device cuda");
      REQUIRE(gpu.steps.size() == host.steps.size());
      for (std::size_t i = 0; i < host.steps.size(); ++i) {
        for (char const* key :
             {"n", "k_target", "k_selected", "threshold", "stages", "nonfinite", "overflow"})
          CHECK(gpu.steps[i][key] == host.steps[i][key]);
        CHECK(gpu.steps[i]["seconds_select"] > 0);
      }
      CHECK(gpu.indices == host.indices);
      CHECK(gpu.values == host.values);
      CHECK(gpu.residual == host.residual);
    }
  }
}

TEST_CASE("weir-sparsify on a GPU: thresholds of special functions are those of the host to 1e-6") {
  Files const files;
  for (std::string const estimator : {"gamma", "gamma-approximate", "gamma-pareto", "normal"}) {
    CAPTURE(estimator);
    std::string const arguments = files / "EXP --density 0.01 --estimator " + estimator;
    double const host = steps(arguments)[0]["threshold"];
    CHECK(steps(arguments + " --device cuda")[0]["threshold"].get<double>() ==
          doctest::Approx(host).epsilon(1e-6));
  }
}

TEST_CASE("weir-sparsify on a GPU: every type, and what there are no kernels for") {
  Files const files;
  write(files / "wide.npy", npy("<f8", std::vector<double>{1, -4, 2, 3}));
  std::string const wide = files / "wide.npy --density 0.5 --estimator ";
  CHECK(steps(wide + "topk --device cuda")[0]["threshold"] == 3.0);
  check_sparsify_refused(wide + "gamma --device cuda", 2, {"--estimator gamma", "float64", "--device host"});
  write(files / "short.npy", npy("<u2", std::vector<std::uint16_t>{0x3f80, 0x4080, 0x4000, 0x4040}));
  Json const step = steps(files / "short.npy --bfloat16 --density 0.5 --estimator topk --device cuda")[0];
  CHECK(step["k_selected"] == 2);
  CHECK(step["threshold"] == 3.0);
}
