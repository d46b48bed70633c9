#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace weir::inline v1 {

/// What a mask is made from. 0 means that nothing is asked for; the names are those of the options of
/// weir-design.
struct MaskOptions {
  std::string family = "auto";
  std::size_t outputs = 0;  ///< a family with a shape of its own needs no sides
  std::size_t inputs = 0;
  double density = 0;          ///< above 0, at most 1
  std::size_t row_degree = 0;  ///< entries per row; not beside a density
  std::uint64_t order = 0;
  std::uint64_t dimension = 0;
  std::uint64_t lambda = 0;
  std::uint32_t block = 1;  ///< side of the tiles that are live or dead as a whole
  std::uint64_t seed = 0;   ///< number of the copy; 0 is the canonical one
  std::size_t nnz = 0;      ///< family random: entries (or tiles), in place of a density
};

}  // namespace weir::inline v1
