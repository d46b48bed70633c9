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
#include "../../examples/apps/weir_train/gru.hpp"
#include "../../examples/apps/weir_train/masked_layers.hpp"
#include "../../examples/apps/weir_train/mlp.hpp"
#include "../../examples/apps/weir_train/transformer.hpp"
#include "gradient_check.hpp"
#include "program.hpp"
#include "weir_train_runs.hpp"

namespace {

using namespace weir_train;
using Json = nlohmann::ordered_json;

MaskedLayers<double> masked(MaskKind kind, double density = 0) {
  return {LayerMasks({.kind = kind, .density = density}, 5)};
}

/// What a network's weights are, one behind the other: a matrix with a mask, or as many others as there are
/// outputs.
struct Piece {
  std::size_t inputs;
  std::size_t outputs;
};

/// Copies what a network of masked layers has to one without masks, by `copy(dense element, element)`.
template <class Copy>
void for_each_live_element(std::vector<Piece> const& pieces, LayerMasks masks, Copy copy) {
  std::size_t of_dense = 0, of_masked = 0;
  for (Piece const& piece : pieces) {
    if (piece.inputs == 0) {
      for (std::size_t i = 0; i < piece.outputs; ++i) copy(of_dense++, of_masked++);
      continue;
    }
    weir::BIBDMask const mask(masks.next(piece.outputs, piece.inputs));
    for (std::size_t row = 0; row < piece.outputs; ++row) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot)
        copy(of_dense + row * piece.inputs + mask.column(row, slot), of_masked + mask.value_index(row, slot));
    }
    of_dense += piece.inputs * piece.outputs;
    of_masked += mask.value_count();
  }
}

void append(std::vector<Piece>& pieces, std::size_t count, Piece piece) {
  pieces.insert(pieces.end(), count, piece);
}

std::vector<Piece> pieces_of_mlp() {
  return {{15, 11}, {0, 11}, {11, 6}, {0, 6}, {0, 6 * 10 + 10}};
}

std::vector<Piece> pieces_of_gru() {
  std::vector<Piece> pieces;
  for (Piece const& unit : {Piece{5, 7}, Piece{7, 6}}) {
    append(pieces, 3, unit);
    append(pieces, 3, {unit.outputs, unit.outputs});
    append(pieces, 1, {0, 4 * unit.outputs});
  }
  append(pieces, 1, {0, 6 * 10 + 10});
  return pieces;
}

/// Of patches of 2 x 2 pixels of 4 x 6, and two blocks of width 6.
std::vector<Piece> pieces_of_transformer() {
  std::vector<Piece> pieces{{0, 4 * 6 + 6 * 6}};
  for (int block = 0; block < 2; ++block) {
    append(pieces, 4, {6, 6});
    append(pieces, 1, {0, 6 * 6});
    append(pieces, 1, {6, 24});
    append(pieces, 1, {24, 6});
    append(pieces, 1, {0, 3 * 6 + 24});
  }
  append(pieces, 1, {0, 2 * 6 + 6 * 10 + 10});
  return pieces;
}

/// Both have the same weights, where they have them: then loss and gradients are the same, too.
void check_against_dense(Network<double> const& sparse, Network<double> const& dense,
                         std::vector<Piece> const& pieces, LayerMasks const& masks) {
  Images const images = random_images(sparse.input(), 7, 5);
  std::vector<std::uint32_t> const samples{4, 0, 6, 3, 3};
  FakeMicro<double> sparse_micro(sparse, samples), dense_micro(dense, samples);
  sparse.initialise(3, sparse_micro.values);
  std::size_t live = 0;
  for_each_live_element(pieces, masks, [&](std::size_t to, std::size_t from) {
    if (sparse_micro.values[from] == 0) sparse_micro.values[from] = 0.01 * static_cast<double>(from % 7);
    dense_micro.values[to] = sparse_micro.values[from];
    ++live;
  });
  CHECK(live == sparse.live_elements());
  CHECK(sparse.elements_of_dense() == dense.elements());
  CHECK(live < dense.elements());
  Model<double>(sparse, images, 1, 5)(sparse_micro);
  Model<double>(dense, images, 1, 5)(dense_micro);
  CHECK(std::abs(sparse_micro.mean_loss - dense_micro.mean_loss) < 1e-12);
  double worst = 0;
  std::vector<bool> is_live(sparse.elements());
  for_each_live_element(pieces, masks, [&](std::size_t to, std::size_t from) {
    worst = std::max(worst, std::abs(sparse_micro.gradients[from] - dense_micro.gradients[to]));
    is_live[from] = true;
  });
  CHECK(worst < 1e-12);
  double dead = 0;
  for (std::size_t i = 0; i < is_live.size(); ++i)
    dead = std::max(dead, is_live[i] ? 0.0 : std::abs(sparse_micro.gradients[i]));
  CHECK(dead == 0);
}

}  // namespace

TEST_CASE("masked layers: the gradient is that of finite differences") {
  std::vector<std::size_t> const hidden{8, 8};
  check_gradient(mlp<double>({4, 4, 1}, hidden, 10, masked(MaskKind::bibd)), 1);
  check_gradient(mlp<double>({3, 5, 1}, std::vector<std::size_t>{9, 7}, 10, masked(MaskKind::random, 0.4)),
                 1);
  check_gradient(cnn<double>({8, 8, 1}, 10, masked(MaskKind::bibd)), 7);
  check_gradient(cnn<double>({7, 5, 3}, 10, masked(MaskKind::random_biregular, 0.5)), 11);
  check_gradient(gru<double>({4, 8, 1}, hidden, 10, masked(MaskKind::bibd)), 3);
  check_gradient(gru<double>({4, 3, 2}, std::vector<std::size_t>{5, 7}, 10, masked(MaskKind::random, 0.4)),
                 3);
  check_gradient(patch_transformer<double>({4, 8, 1}, hidden, 10, masked(MaskKind::bibd)), 7);
  check_gradient(patch_transformer<double>({4, 6, 1}, std::vector<std::size_t>{6}, 10,
                                           masked(MaskKind::random_biregular, 0.4)),
                 3);
}

TEST_CASE("masked layers do what dense ones with zeros do, also where a design is cut") {
  for (MaskKind const kind : {MaskKind::bibd, MaskKind::random, MaskKind::random_biregular}) {
    CAPTURE(name_of(kind));
    auto const make = masked(kind, 0.3);
    Shape const input{3, 5, 1};
    std::vector<std::size_t> hidden{11, 6};
    check_against_dense(mlp<double>(input, hidden, 10, make), mlp<double>(input, hidden, 10), pieces_of_mlp(),
                        make.masks);
    hidden = {7, 6};
    check_against_dense(gru<double>(input, hidden, 10, make), gru<double>(input, hidden, 10), pieces_of_gru(),
                        make.masks);
    Shape const image{4, 6, 1};
    hidden = {6, 6};
    check_against_dense(patch_transformer<double>(image, hidden, 10, make),
                        patch_transformer<double>(image, hidden, 10), pieces_of_transformer(), make.masks);
  }
}

TEST_CASE("gradients of masked matrices are overwritten or added to, as the micro-batch says") {
  std::vector<std::size_t> const hidden{8, 8};
  check_accumulation(gru<double>({4, 8, 1}, hidden, 10, masked(MaskKind::bibd)));
  check_accumulation(patch_transformer<double>({4, 4, 1}, hidden, 10, masked(MaskKind::bibd)));
}

TEST_CASE("masked matrices begin with values whose sums vary as those of the dense layer do") {
  std::vector<std::size_t> const hidden{64};
  auto const network = gru<double>({28, 28, 1}, hidden, 10, masked(MaskKind::bibd));
  std::vector<double> one(network.elements());
  network.initialise(4, one);
  LayerMasks masks = masked(MaskKind::bibd).masks;
  std::size_t first = 0;
  for (std::size_t const inputs : {28u, 28u, 28u, 64u, 64u, 64u}) {
    weir::BIBDMask const mask(masks.next(64, inputs));
    double squares = 0;
    for (std::size_t i = 0; i < mask.value_count(); ++i) squares += one[first + i] * one[first + i];
    // A dense weight is uniform in [-1/8, 1/8).
    CHECK(squares == doctest::Approx(static_cast<double>(64 * inputs) / 64 / 3).epsilon(0.15));
    if (first != 0)
      CHECK(!std::equal(one.begin(), one.begin() + 64, one.begin() + static_cast<std::ptrdiff_t>(first)));
    first += mask.value_count();
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
  weir::BIBDMask<> const cut(designs.next(50, 75));  // some rows have one entry more than others
  weir::BIBDMask<> const random(drawn.next(50, 75)), biregular(regular.next(50, 75));
  CHECK(cut.nnz() % 50 != 0);
  CHECK(random.nnz() == cut.nnz());
  for (std::size_t row = 0; row < 50; ++row) CHECK(biregular.row_degree(row) == (cut.nnz() + 25) / 50);
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

TEST_CASE("weir-train: the matrices of gates, of attention and of feed-forward can be masked") {
  // Rows of 8 pixels meet each gate in 4 of them, 64 states in 8.
  Json const gru = outcome_of("--epochs 12 --model gru --mask bibd");
  std::size_t const vectors = 4 * 64 + 64 * 10 + 10;
  CHECK(gru["parameters"] == 3 * 64 * (8 + 64) + vectors);
  CHECK(gru["nonzero_parameters"] == 3 * 64 * (4 + 8) + vectors);
  CHECK(gru["test_accuracy"] > 0.85);
  CHECK(gru["name"].get<std::string>().find("gru 64, bibd mask") != std::string::npos);
  std::string const adamw = "--optimizer adamw --learning-rate 0.005 --mask ";
  for (std::string const kind : {"bibd --epochs 8", "random --epochs 1", "random-biregular --epochs 1"}) {
    Json const digits = outcome_of("--model transformer --mask-density 0.25 " + adamw + kind);
    CHECK(digits["parameters"].get<int>() - digits["nonzero_parameters"].get<int>() ==
          2 * 12 * 32 * 32 * 3 / 4);
    CHECK(digits["test_accuracy"] > (kind.starts_with("bibd") ? 0.8 : 0.4));
  }
  Json const text = outcome_of("--data text --epochs 3 --batch 16 --mask-density 0.25 " + adamw + "bibd");
  CHECK(text["test_accuracy"] > 0.4);  // of the next character
  Json const full = outcome_of("--epochs 1 --model gru --mask bibd --mask-density 1");
  CHECK(full["nonzero_parameters"] == full["parameters"]);
}

TEST_CASE("weir-train: a pipeline of masked layers gives the weights of one worker") {
  std::string const options = "--epochs 1 --batch 8 --micro-batches 4 --learning-rate 0.05 --mask bibd ";
  for (std::string const model : {"mlp", "gru --hidden 16,16", "transformer --hidden 16,16"}) {
    std::string const plain = hash_of(options + "--model " + model);
    for (std::string const name : {"1f1b --pipeline-workers 3", "zb-v --pipeline-workers 2 --threads 1"})
      CHECK(hash_of(options + "--model " + model + " --pipeline " + name) == plain);
  }
}

TEST_CASE("weir-train: masked layers go with workers, micro-batches, ranks and sparsified gradients") {
  std::string const one = "--epochs 2 --mask bibd --seed 4";
  double const loss = outcome_of(one + " --batch 64")["train_loss"];
  double const split = outcome_of(one + " --batch 8 --ranks 2 --workers 2 --micro-batches 2")["train_loss"];
  CHECK(std::abs(split - loss) < 1e-3 * loss);
  for (std::string const options :
       {"--mask bibd --mask-density 0.3 --workers 2 --batch 8 --bucket-bytes 1000",
        "--mask random --ranks 2 --density 0.05 --workers 2 --batch 8",
        "--mask random-biregular --model cnn --optimizer adamw --workers 3",
        "--mask bibd --model gru --workers 2 --batch 8 --bucket-bytes 1000",
        "--mask random --model transformer --ranks 2 --density 0.05 --workers 2 --batch 8"}) {
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
  for (std::string const model : {"gru", "transformer"}) {
    std::string const run = "--mask bibd --mask-density 0.25 --model " + model;
    outcome_of(run + " --epochs 1 --save " + (folder / model));
    CHECK(hash_of(run + " --epochs 2 --load " + (folder / model)) == hash_of(run + " --epochs 2"));
    check_train_refused("--epochs 2 --model " + model + " --load " + (folder / model), 1, {"bibd mask"});
  }
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
#if WEIR_PROGRAMS_HAVE_CUDA
  check_train_refused("--mask bibd --device cuda --model gru", 2, {"--model gru", "--device cuda", "mlp"});
#endif
}
