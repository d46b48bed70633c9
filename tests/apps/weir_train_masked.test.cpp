#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../../examples/apps/weir_train/cnn.hpp"
#include "../../examples/apps/weir_train/masked_layers.hpp"
#include "../../examples/apps/weir_train/mlp.hpp"
#include "gradient_check.hpp"
#include "program.hpp"
#include "weir_train_runs.hpp"

namespace {

using namespace weir_train;
using Json = nlohmann::ordered_json;

MaskedLayers<double> masked(MaskKind kind, double density = 0) {
  return {LayerMasks({.kind = kind, .density = density}, 5)};
}

/// Copies what a network of masked layers has to one without masks, by `copy(dense element, element)`.
template <class Copy>
void for_each_live_element(std::vector<std::pair<std::size_t, std::size_t>> const& layers, LayerMasks masks,
                           std::size_t last_elements, Copy copy) {
  std::size_t of_dense = 0, of_masked = 0;
  for (auto const& [inputs, outputs] : layers) {
    weir::BIBDMask const mask(masks.next(outputs, inputs));
    for (std::size_t row = 0; row < outputs; ++row) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot)
        copy(of_dense + row * inputs + mask.column(row, slot), of_masked + mask.value_index(row, slot));
    }
    of_dense += inputs * outputs;
    of_masked += mask.value_count();
    for (std::size_t i = 0; i < outputs; ++i) copy(of_dense++, of_masked++);
  }
  for (std::size_t i = 0; i < last_elements; ++i) copy(of_dense++, of_masked++);
}

}  // namespace

TEST_CASE("masked layers: the gradient is that of finite differences") {
  std::vector<std::size_t> const hidden{8, 8};
  check_gradient(mlp<double>({4, 4, 1}, hidden, 10, masked(MaskKind::bibd)), 1);
  check_gradient(mlp<double>({3, 5, 1}, std::vector<std::size_t>{9, 7}, 10, masked(MaskKind::random, 0.4)),
                 1);
  check_gradient(cnn<double>({8, 8, 1}, 10, masked(MaskKind::bibd)), 7);
  check_gradient(cnn<double>({7, 5, 3}, 10, masked(MaskKind::random_biregular, 0.5)), 11);
}

TEST_CASE("masked layers do what dense ones with zeros do, also where a design is cut") {
  Shape const input{3, 5, 1};
  std::vector<std::size_t> const hidden{11, 6};
  for (MaskKind const kind : {MaskKind::bibd, MaskKind::random, MaskKind::random_biregular}) {
    CAPTURE(name_of(kind));
    auto const sparse = mlp<double>(input, hidden, 10, masked(kind, 0.3));
    auto const dense = mlp<double>(input, hidden, 10);
    Images const images = random_images(input, 7, 5);
    std::vector<std::uint32_t> const samples{4, 0, 6, 3, 3};
    FakeMicro<double> sparse_micro(sparse, samples), dense_micro(dense, samples);
    sparse.initialise(3, sparse_micro.values);
    auto const for_each = [&](auto copy) {
      for_each_live_element({{15, 11}, {11, 6}}, masked(kind, 0.3).masks, 6 * 10 + 10, copy);
    };
    for_each([&](std::size_t to, std::size_t from) {
      if (sparse_micro.values[from] == 0) sparse_micro.values[from] = 0.01 * static_cast<double>(from % 7);
      dense_micro.values[to] = sparse_micro.values[from];
    });
    Model<double>(sparse, images, 1, 5)(sparse_micro);
    Model<double>(dense, images, 1, 5)(dense_micro);
    CHECK(std::abs(sparse_micro.mean_loss - dense_micro.mean_loss) < 1e-12);
    double worst = 0;
    std::size_t live = 0;
    for_each([&](std::size_t to, std::size_t from) {
      worst = std::max(worst, std::abs(sparse_micro.gradients[from] - dense_micro.gradients[to]));
      ++live;
    });
    CHECK(worst < 1e-12);
    CHECK(live == sparse.live_elements());
    CHECK(sparse.elements_of_dense() == dense.elements());
  }
}

TEST_CASE("masked layers begin with values by the live inputs, and padding is and stays zero") {
  Shape const input{28, 28, 1};
  auto const network = mlp<double>(input, std::vector<std::size_t>{42, 36}, 10, masked(MaskKind::bibd));
  std::vector<double> one(network.elements()), other(network.elements());
  network.initialise(4, one);
  network.initialise(5, other);
  CHECK(one != other);
  std::size_t const first = network.parameters()[0].elements;
  double squares = 0;
  for (std::size_t i = 0; i < first; ++i) squares += one[i] * one[i];
  weir::BIBDMask const mask(masked(MaskKind::bibd).masks.next(42, 784));
  double const variance = squares / static_cast<double>(mask.nnz());
  CHECK(variance == doctest::Approx(2.0 / static_cast<double>(mask.row_degree(0))).epsilon(0.1));
  auto const zeros = static_cast<std::size_t>(std::count(one.begin(), one.end(), 0.0));
  CHECK(zeros == network.elements() - network.live_elements() + 42 + 36 + 10);  // and the biases
  CHECK(network.elements() > network.live_elements());
}

TEST_CASE("the masks of a network: a copy of the design for each layer, random ones with as many entries") {
  LayerMasks designs = masked(MaskKind::bibd).masks;
  LayerMasks drawn = masked(MaskKind::random).masks;
  LayerMasks regular = masked(MaskKind::random_biregular).masks;
  LayerMasks other({.kind = MaskKind::random}, 6);
  auto const entries = [](weir::BIBDMask<> const& mask) {
    std::vector<std::size_t> columns;
    for (std::size_t row = 0; row < mask.outputs(); ++row) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot)
        columns.push_back(row * mask.inputs() + mask.column(row, slot));
    }
    std::sort(columns.begin(), columns.end());
    return columns;
  };
  std::vector<std::size_t> before;
  for (std::uint64_t layer = 0; layer < 3; ++layer) {
    weir::MaskOptions const options = designs.next(64, 64);
    CHECK(options.seed == layer);
    CHECK(options.family == "auto");
    weir::BIBDMask<> const design(options), random(drawn.next(64, 64)), biregular(regular.next(64, 64));
    CHECK(random.nnz() == design.nnz());
    CHECK(biregular.nnz() == design.nnz());
    CHECK(biregular.row_degree(5) == design.row_degree(5));
    CHECK(entries(design) != before);
    CHECK(entries(random) != entries(weir::BIBDMask<>(other.next(64, 64))));
    before = entries(design);
  }
}

TEST_CASE("weir-train: masked networks learn, and the report counts what is live") {
  std::size_t const all = 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10;
  std::size_t const live = 2 * 64 * 8 + 64 + 64 + 64 * 10 + 10;
  for (std::string const kind : {"bibd", "random", "random-biregular"}) {
    Json const outcome = outcome_of("--epochs 30 --learning-rate 0.05 --mask " + kind);
    CHECK(outcome["parameters"] == all);
    CHECK(outcome["nonzero_parameters"] == live);
    CHECK(outcome["test_accuracy"] > 0.85);
    CHECK(outcome["name"].get<std::string>().find(kind + " mask") != std::string::npos);
  }
  Json const quarter = outcome_of("--epochs 1 --mask bibd --mask-density 0.25");
  CHECK(quarter["nonzero_parameters"] == 2 * 64 * 16 + 64 + 64 + 64 * 10 + 10);
  Json const full = outcome_of("--epochs 1 --mask random-biregular --mask-density 1");
  CHECK(full["nonzero_parameters"] == all);
  // A convolution of one channel has all pairs of channels, the other a quarter of them.
  Json const cnn = outcome_of("--epochs 5 --model cnn --mask bibd");
  CHECK(cnn["parameters"] == 9 * 16 + 16 + 9 * 16 * 32 + 32 + 4 * 32 * 10 + 10);
  CHECK(cnn["nonzero_parameters"] == 9 * 16 + 16 + 9 * 4 * 32 + 32 + 4 * 32 * 10 + 10);
  CHECK(cnn["test_accuracy"] > 0.85);
}

TEST_CASE("weir-train: masked layers go with workers, micro-batches, ranks and sparsified gradients") {
  std::string const one = "--epochs 2 --mask bibd --seed 4";
  double const loss = outcome_of(one + " --batch 64")["train_loss"];
  double const split = outcome_of(one + " --batch 8 --ranks 2 --workers 2 --micro-batches 2")["train_loss"];
  CHECK(std::abs(split - loss) < 1e-3 * loss);
  for (std::string const options :
       {"--mask bibd --mask-density 0.3 --workers 2 --batch 8 --bucket-bytes 1000",
        "--mask random --ranks 2 --density 0.05 --workers 2 --batch 8",
        "--mask random-biregular --model cnn --optimizer adamw --workers 3"}) {
    std::string const run = "--epochs 2 " + options;
    std::string const hash = hash_of(run);
    CHECK(hash == hash_of(run + " --threads 1"));
    CHECK(hash == hash_of(run + " --threads 5 --weight-sync overlap"));
    CHECK(hash != hash_of(run + " --seed 1"));
  }
  std::string const whole = "--epochs 1 --ranks 2 --batch 16 --mask bibd";
  CHECK(outcome_of(whole)["bytes_sent_per_step"] == 4 * (2 * 64 * 8 + 64 + 64 + 64 * 10 + 10));
#if WEIR_PROGRAMS_HAVE_MPI
  CHECK(outcome_of(run_program_mpi(
            2, "weir-train", "--report json --comm mpi --epochs 1 --batch 16 --mask bibd"))["weights_hash"] ==
        hash_of(whole));
#endif
}

TEST_CASE("weir-train: a checkpoint of masked layers goes on with its masks, and with no others") {
  TemporaryFolder const folder;
  std::string const file = folder / "run.weir";
  outcome_of("--mask random --seed 7 --epochs 2 --save " + file);
  CHECK(hash_of("--mask random --epochs 4 --load " + file) == hash_of("--mask random --seed 7 --epochs 4"));
  check_train_refused("--epochs 4 --load " + file, 1, {file, "mlp 64-64, random mask", "mlp 64-64, as"});
  check_train_refused("--mask bibd --epochs 4 --load " + file, 1, {file, "random mask", "bibd mask"});
  check_train_refused("--mask random --mask-density 0.5 --epochs 4 --load " + file, 1, {"of density 0.5"});
}

TEST_CASE("weir-train: options of masks that cannot be used are answered by one line and status 2") {
  check_train_refused("--mask circles", 2, {"--mask circles", "none, bibd, random or random-biregular"});
  for (std::string const density : {"0", "-0.1", "1.5", "nan", "few"})
    check_train_refused("--mask bibd --mask-density " + density, 2,
                        {"--mask-density " + density, "above 0, at most 1"});
  check_train_refused("--mask-density 0.5", 2, {"--mask-density", "--mask bibd"});
  check_train_refused("--mask none --mask-density 0.5", 2, {"--mask-density", "--mask bibd"});
  check_train_refused("--mask random --model gru", 2, {"--mask random", "--model gru", "mlp or cnn"});
#if WEIR_PROGRAMS_HAVE_CUDA
  check_train_refused("--mask bibd --device cuda", 2, {"--mask bibd", "--device cuda", "--device host"});
#endif
}
