#pragma once

#include "arguments.hpp"
#include "configuration.hpp"
#include "path_option.hpp"

namespace weir_train {

/// Reads the paths of the files that a run reads and writes. Errors: `UsageError`.
inline void parse_files(Arguments const& a, Configuration& c) {
  read_path(a, "--save", c.save);
  read_path(a, "--load", c.load);
  read_path(a, "--trace", c.trace);
  read_path(a, "--timeline", c.timeline);
  IdxPaths const idx = c.idx.value_or(IdxPaths{});
  refuse_same_file(a, {"--save", "--trace", "--timeline"},
                   {c.text.value_or(""), idx.images, idx.labels, idx.test_images, idx.test_labels});
  refuse_same_file(a, {"--trace", "--timeline"}, {c.load});  // what was saved may be replaced
}

}  // namespace weir_train
