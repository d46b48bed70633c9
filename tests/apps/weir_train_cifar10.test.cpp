#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "../../examples/apps/weir_train/cifar10.hpp"
#include "program.hpp"
#include "weir_train_runs.hpp"

namespace {

using Json = nlohmann::ordered_json;

/// An image of one colour, in which a label of 0 to 2 is the brightest of red, green and blue.
std::string record(std::size_t label, std::size_t noise) {
  std::string bytes(1, static_cast<char>(label));
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t pixel = 0; pixel < 1024; ++pixel)
      bytes += static_cast<char>(channel == label ? 150 + (pixel + noise) % 100 : (pixel * noise) % 50);
  }
  return bytes;
}

std::string batch(std::size_t count, std::size_t first) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += record((first + i) % 3, first + i);
  return bytes;
}

void write_batches(TemporaryFolder const& folder, std::size_t count) {
  for (std::size_t i = 1; i <= 5; ++i)
    write(folder / ("data_batch_" + std::to_string(i) + ".bin"), batch(count, i * count));
}

}  // namespace

TEST_CASE("weir-train: CIFAR-10's batches are read in order, the channels of a pixel side by side") {
  TemporaryFolder const folder;
  write_batches(folder, 6);
  auto const data = weir_train::Cifar10::load(folder / "");
  CHECK(data.train.size() == 25);
  CHECK(data.test.size() == 5);
  CHECK(data.train.shape == weir_train::Shape{32, 32, 3});
  for (std::size_t i = 0; i < 30; ++i) {
    bool const is_test = i >= 25;
    std::string const bytes = record((6 + i) % 3, 6 + i);
    auto const& images = is_test ? data.test : data.train;
    std::size_t const at = is_test ? i - 25 : i;
    CHECK(images.labels[at] == (6 + i) % 3);
    std::size_t different = 0;
    for (std::size_t pixel = 0; pixel < 1024; ++pixel) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        char const read = static_cast<char>(images.image(at)[3 * pixel + channel]);
        different += read != bytes[1 + channel * 1024 + pixel] ? 1 : 0;
      }
    }
    CHECK(different == 0);
  }
  write(folder / "test_batch.bin", batch(7, 100));
  auto const with_test = weir_train::Cifar10::load(folder / "");
  CHECK(with_test.train.size() == 30);
  CHECK(with_test.test.size() == 7);
  CHECK(with_test.test.labels[0] == 100 % 3);
}

TEST_CASE("weir-train: CIFAR-10 trains an mlp and a cnn, masked and not") {
  TemporaryFolder const folder;
  write_batches(folder, 6);
  write(folder / "test_batch.bin", batch(9, 100));
  std::string const data = " --batch 5 --learning-rate 0.01 --data cifar10:" + (folder / "");
  Json const mlp = outcome_of("--epochs 8 --hidden 16" + data);
  CHECK(mlp["test_accuracy"] == 1.0);
  CHECK(mlp["parameters"] == 3072 * 16 + 16 + 160 + 10);
  CHECK(mlp["steps"] == 8 * 6);
  Json const cnn = outcome_of("--epochs 3 --model cnn --mask bibd --mask-density 0.5" + data);
  CHECK(cnn["parameters"] == 9 * 3 * 16 + 16 + 9 * 16 * 32 + 32 + 64 * 32 * 10 + 10);
  CHECK(cnn["nonzero_parameters"] == 9 * 24 + 16 + 9 * 16 * 16 + 32 + 64 * 32 * 10 + 10);
}

TEST_CASE("weir-train: a CIFAR-10 file that is not what it should be is named, with what would be right") {
  TemporaryFolder const folder;
  std::string const options = "--batch 1 --data cifar10:" + (folder / "");
  check_train_refused(options, 1, {"data_batch_1.bin: cannot be read"});
  write_batches(folder, 1);
  check_train_refused(options, 1, {folder / "", "5 images", "at least 6"});
  write_batches(folder, 2);
  std::string const third = folder / "data_batch_3.bin";
  std::string const whole = batch(2, 6);
  write(third, whole.substr(0, whole.size() - 1));
  check_train_refused(options, 1, {third, "6145 bytes", "records of 3073 bytes"});
  write(third, "");
  check_train_refused(options, 1, {third, "0 bytes", "3073"});
  write(third, record(1, 1) + record(10, 1));
  check_train_refused(options, 1, {third, "label of record 1 is 10", "0 to 9"});
  write(third, "\x1f\x8b and so on");
  check_train_refused(options, 1, {third, "gzip"});
  write(third, whole);
  write(folder / "test_batch.bin", "x");
  check_train_refused(options, 1, {folder / "test_batch.bin", "1 bytes"});
  check_train_refused("--data cifar10:" + third, 1, {third + "/data_batch_1.bin: cannot be read"});
}
