#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "dataset.hpp"
#include "errors.hpp"
#include "read_file.hpp"

namespace weir_train {

/// A folder of CIFAR-10's binary batches: records of a label and three planes, red, green and blue, of 32 x
/// 32 bytes. Errors: `RunError` that names the file.
class Cifar10 {
 public:
  static Dataset load(std::string const& folder) {
    Dataset data{.train = no_images(), .test = no_images()};
    for (char const number : {'1', '2', '3', '4', '5'})
      append(in(folder, std::string("data_batch_") + number + ".bin"), data.train);
    std::string const test = in(folder, "test_batch.bin");
    std::error_code error;
    if (std::filesystem::exists(test, error) || error) {
      append(test, data.test);
      return data;
    }
    if (data.train.size() < 6) {
      refuse(folder, std::to_string(data.train.size()) +
                         " images; at least 6, of which a sixth is held out, would be right");
    }
    data.test = data.train.split_off(data.train.size() / 6);
    return data;
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

  /// Channels of a pixel side by side, as everywhere here.
  static void append(std::string const& path, Images& images) {
    std::string const bytes = read_file(path);
    if (bytes.starts_with("\x1f\x8b"))
      refuse(path, "compressed by gzip; the uncompressed file would be right");
    if (bytes.empty() || bytes.size() % record != 0) {
      refuse(path, std::to_string(bytes.size()) + " bytes; one or more records of " + std::to_string(record) +
                       " bytes would be right");
    }
    images.pixels.reserve(images.pixels.size() + bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      auto const label = static_cast<std::uint8_t>(bytes[at]);
      if (label >= classes) {
        refuse(path, "the label of record " + std::to_string(at / record) + " is " + std::to_string(label) +
                         "; 0 to " + std::to_string(classes - 1) + " would be right");
      }
      images.labels.push_back(label);
      std::string_view const body = std::string_view(bytes).substr(at + 1, record - 1);
      for (std::size_t pixel = 0; pixel < plane; ++pixel) {
        for (std::size_t channel = 0; channel < planes; ++channel)
          images.pixels.push_back(static_cast<std::uint8_t>(body[channel * plane + pixel]));
      }
    }
  }

  [[noreturn]] static void refuse(std::string const& path, std::string const& what) {
    throw RunError(path + ": " + what);
  }
};

}  // namespace weir_train
