#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../examples/apps/weir_train/evaluator.hpp"
#include "../../examples/apps/weir_train/text.hpp"
#include "../../examples/apps/weir_train/transformer.hpp"
#include "gradient_check.hpp"
#include "program.hpp"
#include "weir_train_runs.hpp"

namespace {

using namespace weir_train;
using Json = nlohmann::ordered_json;

/// Random tokens, of which each has the next one as its label.
Images random_tokens(std::size_t length, std::size_t vocabulary, std::size_t count) {
  Images images{.shape = {length, 1, 1}, .classes = vocabulary, .labels_each = length};
  weir::RandomStream const random{.seed = 7};
  for (std::size_t i = 0; i < count * length; ++i) {
    images.pixels.push_back(static_cast<std::uint8_t>(random.word(i) % vocabulary));
    images.labels.push_back(static_cast<std::uint8_t>(random.word(i + 1) % vocabulary));
  }
  return images;
}

}  // namespace

TEST_CASE("the gradient of a transformer is that of finite differences, on tokens and on patches") {
  using Widths = std::vector<std::size_t>;
  check_gradient(language_transformer<double>(6, 9, Widths{8}), random_tokens(6, 9, 7), 3);
  check_gradient(language_transformer<double>(5, 4, Widths{6, 6}), random_tokens(5, 4, 7), 7);
  check_gradient(patch_transformer<double>({4, 6, 1}, Widths{8}, 10), 3);
  check_gradient(patch_transformer<double>({16, 16, 2}, Widths{5}, 10), 13);
}

TEST_CASE("the gradients of a transformer are overwritten or added to, as the micro-batch says") {
  auto const network = patch_transformer<double>({4, 4, 1}, std::vector<std::size_t>{4, 4}, 10);
  check_accumulation(network);
}

TEST_CASE("a language model does not see the tokens behind a position") {
  constexpr std::size_t length = 8, vocabulary = 5;
  auto const network = language_transformer<float>(length, vocabulary, std::vector<std::size_t>{8, 8});
  Images images = random_tokens(length, vocabulary, 2);
  // The second piece is the first one, but for its last three tokens.
  for (std::size_t i = 0; i < length; ++i) {
    std::uint8_t const token = images.pixels[i];
    images.pixels[length + i] = i < 5 ? token : static_cast<std::uint8_t>((token + 1) % vocabulary);
  }
  std::vector<float> weights(network.elements());
  network.initialise(1, weights);
  Workspace<float> workspace(network, 2);
  std::vector<std::uint32_t> const samples{0, 1};
  workspace.load(images, samples);
  for (std::size_t layer = 0, at = 0; layer < network.layers(); ++layer) {
    for (std::size_t p = network.first_parameter(layer); p < network.first_parameter(layer + 1); ++p) {
      workspace.pass(layer).parameters[p - network.first_parameter(layer)] = weights.data() + at;
      at += network.parameters()[p].elements;
    }
    network.layer(layer).forward(workspace.pass(layer));
  }
  float const* const one = workspace.logits();
  float const* const other = one + length * vocabulary;
  float seen = 0, unseen = 0;
  for (std::size_t i = 0; i < length * vocabulary; ++i)
    (i < 5 * vocabulary ? unseen : seen) += std::abs(one[i] - other[i]);
  CHECK(unseen == 0);
  CHECK(seen > 0.01f);
}

TEST_CASE("a text is cut into pieces whose labels are the next tokens, and its last sixth is held out") {
  std::string text;
  for (int i = 0; i < 6 * 32 + 1 + 40; ++i) text += static_cast<char>("zaq"[i % 3]);
  Dataset const data = Text::parse("a.txt", text);
  CHECK(data.train.size() == 6);
  CHECK(data.test.size() == 1);
  CHECK(data.train.classes == 3);
  CHECK(data.train.is_text());
  CHECK(data.train.image(0)[0] == 2);  // a, q, z
  CHECK(data.train.labels[0] == 0);
  CHECK(data.train.labels[31] == data.train.image(1)[0]);
  CHECK(data.test.labels.size() == 32);
  CHECK(data.test.image(0)[0] == data.train.labels.back());
  CHECK_THROWS_WITH_AS(Text::parse("a.txt", "short"),
                       "a.txt: 5 bytes; at least 193, which are six pieces, would be right", RunError);
}

TEST_CASE("weir-train: a transformer learns the bundled text and the digits") {
  Json const text = outcome_of("--data text --epochs 6 --optimizer adamw --learning-rate 0.005 --batch 16");
  CHECK(text["test_accuracy"] > 0.6);  // of the next character
  CHECK(text["train_loss"] < 1.1);
  CHECK(text["name"].get<std::string>().find("transformer 32-32") != std::string::npos);
  Json const digits = outcome_of("--model transformer --epochs 8 --optimizer adamw --learning-rate 0.005");
  CHECK(digits["test_accuracy"] > 0.75);  // rounding and seeds move it between 0.81 and 0.92
}

TEST_CASE(
    "weir-train: the blocks of a transformer are stages, and pipelines give the weights of one worker") {
  std::string const options = "--epochs 1 --batch 8 --micro-batches 4 --hidden 16,16 --learning-rate 0.05 ";
  for (std::string const data : {"--data text", "--model transformer"}) {
    std::string const plain = outcome_of(options + data)["weights_hash"];
    for (std::string const name : {"1f1b --pipeline-workers 3", "interleaved-1f1b --pipeline-workers 2",
                                   "zb-v --pipeline-workers 2 --threads 1"}) {
      CHECK(outcome_of(options + data + " --pipeline " + name)["weights_hash"] == plain);
    }
    std::string const replicas = options + data + " --workers 2 --ranks 2";
    CHECK(outcome_of(replicas + " --pipeline 1f1b")["weights_hash"] == outcome_of(replicas)["weights_hash"]);
  }
}

TEST_CASE("weir-train: a text for a model of images, and other things that cannot be, are refused") {
  TemporaryFolder const folder;
  write(folder / "short", "not much");
  auto const check = [](std::string const& arguments, int status, std::string const& text) {
    ProgramResult const result = run_program("weir-train", arguments);
    CAPTURE(arguments);
    CAPTURE(result.error);
    CHECK(result.status == status);
    CHECK(result.out.empty());
    CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
    CHECK(result.error.find(text) != std::string::npos);
  };
  check("--data text --model mlp", 2, "--model mlp: it reads images");
  check("--data text:", 2, "text or text:FILE would be right");
  check("--data text:" + (folder / "none"), 1, "none: cannot be read");
  check("--data text:" + (folder / "short"), 1, "8 bytes; at least 193");
  check("--model transformer --hidden 32,64", 2, "32,32 would be right");
}
