#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "../../examples/apps/weir_train/cifar10.hpp"
#include "../../examples/apps/weir_train/digits.hpp"
#include "../../examples/apps/weir_train/idx.hpp"

namespace weir_test {

/// A file in memory, which has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", 0)) {
    if (descriptor_ < 0) std::abort();
    while (!bytes.empty()) {
      ssize_t const written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written <= 0) std::abort();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  MemoryFile(MemoryFile const&) = delete;
  MemoryFile& operator=(MemoryFile const&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// What `read()` refuses, in one short line; empty: nothing, and the images are whole.
template <class Read>
std::string refusal_of_images(Read const& read) {
  try {
    weir_train::Images const images = read();
    if (images.size() == 0 || images.pixels.size() != images.size() * images.shape.size()) std::abort();
    for (std::uint8_t const label : images.labels) {
      if (label >= images.classes) std::abort();
    }
    return {};
  } catch (weir_train::RunError const& error) {
    std::string const line = error.what();
    if (line.empty() || line.size() > 300 || line.find('\n') != std::string::npos) std::abort();
    return line;
  }
}

/// The file of images, then that of labels.
inline std::string idx_refusal(std::string_view images, std::string_view labels) {
  MemoryFile const image_file(images), label_file(labels);
  return refusal_of_images([&] {
    weir_train::Dataset data = weir_train::Idx::load({image_file.path(), label_file.path()});
    if (data.test.size() != (data.train.size() + data.test.size()) / 6) std::abort();
    return data.train;
  });
}

inline std::string digits_refusal(std::string_view text) {
  MemoryFile const file(text);
  return refusal_of_images([&] { return weir_train::Digits::load(file.path()).train; });
}

inline std::string cifar10_refusal(std::string_view batch) {
  MemoryFile const file(batch);
  return refusal_of_images([&] { return weir_train::Cifar10::load_batch(file.path()); });
}

}  // namespace weir_test
