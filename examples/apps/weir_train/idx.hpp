#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataset.hpp"
#include "errors.hpp"
#include "input_file.hpp"
#include "within_memory.hpp"

namespace weir_train {

/// The paths of `--data idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS]`.
struct IdxPaths {
  std::string images;
  std::string labels;
  std::string test_images = {};  // empty: the last sixth of the images is held out
  std::string test_labels = {};
};

/// Files in the format of MNIST: big-endian integers, then bytes. Errors: `RunError` that names the file.
class Idx {
 public:
  static Dataset load(IdxPaths const& paths) {
    Dataset data{.train = load_pair(paths.images, paths.labels), .test = {}};
    if (!paths.test_images.empty()) {
      data.test = load_pair(paths.test_images, paths.test_labels);
      if (data.test.shape != data.train.shape) {
        refuse(paths.test_images, size_text(data.test.shape) + "; " + size_text(data.train.shape) +
                                      " as in " + paths.images + " would be right");
      }
      return data;
    }
    if (data.train.size() < 6) {
      refuse(paths.images, std::to_string(data.train.size()) +
                               " images; at least 6, of which a sixth is held out, would be right");
    }
    data.test = data.train.split_off(data.train.size() / 6);
    return data;
  }

 private:
  static constexpr std::uint32_t image_magic = 0x803;  // unsigned bytes, three dimensions
  static constexpr std::uint32_t label_magic = 0x801;  // unsigned bytes, one dimension
  static constexpr std::size_t classes = 10;

  static Images load_pair(std::string const& image_path, std::string const& label_path) {
    Images images = within_memory(image_path, [&] { return load_images(image_path); });
    within_memory(label_path, [&] { load_labels(label_path, image_path, images); });
    return images;
  }

  /// Without their labels.
  static Images load_images(std::string const& image_path) {
    Images images{.shape = {}, .classes = classes, .scale = 1.0f / 255.0f};
    InputFile file(image_path);
    std::string const header = file.read(16);
    check_magic(image_path, header, image_magic, "images");
    std::size_t const count = big_endian(image_path, header, 4);
    images.shape = {big_endian(image_path, header, 8), big_endian(image_path, header, 12), 1};
    if (count == 0 || images.shape.size() == 0) {
      refuse(image_path, std::to_string(count) + " images of " + size_text(images.shape) +
                             "; at least one of at least 1 x 1 would be right");
    }
    constexpr std::size_t most = std::size_t{1} << 20;
    if (images.shape.height > most || images.shape.width > most) {
      refuse(image_path, "images of " + size_text(images.shape) + "; at most 2^20 each way would be right");
    }
    read_body(file, count, images.shape.size(), images.pixels);
    return images;
  }

  static void load_labels(std::string const& label_path, std::string const& image_path, Images& images) {
    InputFile file(label_path);
    std::string const header = file.read(8);
    check_magic(label_path, header, label_magic, "labels");
    std::size_t const labels = big_endian(label_path, header, 4);
    std::size_t const count = images.pixels.size() / images.shape.size();
    read_body(file, labels, 1, images.labels);
    if (labels != count) {
      refuse(label_path, std::to_string(labels) + " labels; " + std::to_string(count) +
                             ", one for each image in " + image_path + ", would be right");
    }
    auto const wrong = std::find_if(images.labels.begin(), images.labels.end(),
                                    [](std::uint8_t label) { return label >= classes; });
    if (wrong != images.labels.end()) {
      refuse(label_path, "label " + std::to_string(wrong - images.labels.begin()) + " is " +
                             std::to_string(*wrong) + "; 0 to " + std::to_string(classes - 1) +
                             " would be right");
    }
  }

  static void check_magic(std::string const& path, std::string_view bytes, std::uint32_t right,
                          char const* what) {
    if (bytes.starts_with("\x1f\x8b"))
      refuse(path, "compressed by gzip; the uncompressed file would be right");
    std::uint32_t const magic = big_endian(path, bytes, 0);
    if (magic == right) return;
    char text[96];
    std::snprintf(text, sizeof text, "magic number 0x%08x; 0x%08x, that of %s in bytes, would be right",
                  magic, right, what);
    refuse(path, text);
  }

  /// Reads what follows the header if that is what the header promises, which can be more than 2^64 bytes, so
  /// this divides.
  static void read_body(InputFile& file, std::size_t count, std::size_t each, std::vector<std::uint8_t>& to) {
    std::uint64_t const body = file.rest();
    if (body / each != count || body % each != 0) {
      std::string const right = std::to_string(count) + " times " + std::to_string(each) +
                                " bytes after the " + std::to_string(file.size() - body) + " of the header";
      refuse(file.path(), (body / each < count ? "truncated: " : "too long: ") + std::to_string(file.size()) +
                              " bytes; " + right + " would be right");
    }
    to.resize(static_cast<std::size_t>(body));
    file.read(std::as_writable_bytes(std::span(to)));
  }

  static std::uint32_t big_endian(std::string const& path, std::string_view bytes, std::size_t at) {
    if (bytes.size() < at + 4) {
      refuse(path, "truncated: " + std::to_string(bytes.size()) + " bytes; a header of " +
                       std::to_string(at + 4) + " or more would be right");
    }
    std::uint32_t value = 0;
    for (char byte : bytes.substr(at, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }

  static std::string size_text(Shape const& shape) {
    return std::to_string(shape.height) + " x " + std::to_string(shape.width) + " pixels";
  }

  [[noreturn]] static void refuse(std::string const& path, std::string const& what) {
    throw RunError(path + ": " + what);
  }
};

}  // namespace weir_train
