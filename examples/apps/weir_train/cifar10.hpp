#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "dataset.hpp"
#include "errors.hpp"
#include "input_file.hpp"
#include "within_memory.hpp"

namespace weir_train {

/// A folder of CIFAR-10's binary batches: records of a label and three planes, red, green and blue, of 32 x
/// 32 bytes. Errors: `RunError` that names the file.
class Cifar10 {
 public:
  static Dataset load(std::string const& folder) {
    Dataset data{.train = no_images(), .test = no_images()};
    for (char const number : {'1', '2', '3', '4', '5'})
      append_batch(in(folder, std::string("data_batch_") + number + ".bin"), data.train);
    std::string const test = in(folder, "test_batch.bin");
    std::error_code error;
    if (std::filesystem::exists(test, error) || error) {
      append_batch(test, data.test);
      return data;
    }
    if (data.train.size() < 6) {
      refuse(folder, std::to_string(data.train.size()) +
                         " images; at least 6, of which a sixth is held out, would be right");
    }
    data.test = data.train.split_off(data.train.size() / 6);
    return data;
  }

  /// One of the files.
  static Images load_batch(std::string const& path) {
    Images images = no_images();
    append_batch(path, images);
    return images;
  }

 private:
  static constexpr std::size_t classes = 10;
  static constexpr std::size_t plane = 32 * 32;
  static constexpr std::size_t planes = 3;
  static constexpr std::size_t record = 1 + planes * plane;

  static Images no_images() {
    return {.shape = {32, 32, planes}, .classes = classes, .scale = 1.0f / 255.0f};
  }

  static std::string in(std::string const& folder, std::string const& name) {
    return (std::filesystem::path(folder) / name).string();
  }

  static void append_batch(std::string const& path, Images& images) {
    within_memory(path, [&] {
      InputFile file(path);
      append(file, images);
    });
  }

  /// Record by record: a label that is none ends the reading.
  static void append(InputFile& file, Images& images) {
    if (file.size() == 0 || file.size() % record != 0) {
      if (file.read(2) == "\x1f\x8b") refuse_gzip(file.path());
      refuse(file.path(), std::to_string(file.size()) + " bytes; one or more records of " +
                              std::to_string(record) + " bytes would be right");
    }
    std::array<std::uint8_t, record> bytes;
    for (std::uint64_t number = 0; file.rest() != 0; ++number) {
      file.read(std::as_writable_bytes(std::span(bytes)));
      if (bytes[0] >= classes) {
        if (number == 0 && bytes[0] == 0x1f && bytes[1] == 0x8b) refuse_gzip(file.path());
        refuse(file.path(), "the label of record " + std::to_string(number) + " is " +
                                std::to_string(bytes[0]) + "; 0 to " + std::to_string(classes - 1) +
                                " would be right");
      }
      images.labels.push_back(bytes[0]);
      for (std::size_t pixel = 0; pixel < plane; ++pixel) {  // the channels of a pixel side by side
        for (std::size_t channel = 0; channel < planes; ++channel)
          images.pixels.push_back(bytes[1 + channel * plane + pixel]);
      }
    }
  }

  [[noreturn]] static void refuse_gzip(std::string const& path) {
    refuse(path, "compressed by gzip; the uncompressed file would be right");
  }

  [[noreturn]] static void refuse(std::string const& path, std::string const& what) {
    throw RunError(path + ": " + what);
  }
};

}  // namespace weir_train
