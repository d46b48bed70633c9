#pragma once

#include <algorithm>
#include <string>

#include "configuration.hpp"
#include "numbers.hpp"

namespace weir_train {

/// Reads `--data`. Errors: `UsageError`.
inline void parse_data(std::string const& value, Configuration& c) {
  if (value == "digits") return;
  if (value == "text") {
    c.text = WEIR_EXAMPLE_DATA_DIR "/weir_log.txt";
    return;
  }
  std::string const right = "digits, text[:FILE], idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS] or cifar10:DIR";
  if (value.starts_with("text:")) {
    c.text = value.substr(5);
    if (c.text->empty()) refuse_value("--data", value, "text or text:FILE");
    return;
  }
  if (value.starts_with("cifar10:")) {
    c.cifar10 = value.substr(8);
    if (c.cifar10.empty()) refuse_value("--data", value, right);
    return;
  }
  if (!value.starts_with("idx:")) refuse_value("--data", value, right);
  auto const paths = split(value.substr(4), ',');
  bool const has_empty = std::find(paths.begin(), paths.end(), "") != paths.end();
  if ((paths.size() != 2 && paths.size() != 4) || has_empty) refuse_value("--data", value, right);
  c.idx = IdxPaths{paths[0], paths[1]};
  if (paths.size() == 4) {
    c.idx->test_images = paths[2];
    c.idx->test_labels = paths[3];
  }
}

}  // namespace weir_train
