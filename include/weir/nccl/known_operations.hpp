#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "weir/comm/fingerprint.hpp"

namespace weir::inline v1::detail {

/// The operations that the ranks have agreed on, whatever their sequence numbers.
///
/// Cost: 32 bytes for each. One thread at a time.
class KnownOperations {
 public:
  bool contains(Fingerprint const& operation) const {
    return std::binary_search(shapes_.begin(), shapes_.end(), shape_of(operation), is_less);
  }

  void add(Fingerprint const& operation) {
    Fingerprint const shape = shape_of(operation);
    shapes_.insert(std::lower_bound(shapes_.begin(), shapes_.end(), shape, is_less), shape);
  }

 private:
  static Fingerprint shape_of(Fingerprint operation) {
    operation.sequence = 0;
    return operation;
  }

  /// In any order: the bytes of a fingerprint are its value.
  static bool is_less(Fingerprint const& left, Fingerprint const& right) {
    return std::memcmp(&left, &right, sizeof(left)) < 0;
  }

  std::vector<Fingerprint> shapes_;
};

}  // namespace weir::inline v1::detail
