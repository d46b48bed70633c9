#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// Where in a step a stage failed.
struct FailurePlace {
  std::size_t rank = 0;
  char const* stage = "";
  std::size_t bucket = 0;
  std::uint64_t step = 0;

  std::string text() const {
    return "rank " + std::to_string(rank) + ", stage " + stage + ", bucket " + std::to_string(bucket) +
           ", step " + std::to_string(step);
  }
};

/// Called in a handler: rethrows what it caught. The errors of core/error.hpp that a stage may throw get the
/// place in their text; what others have thrown stays what it is.
[[noreturn]] inline void rethrow_at(FailurePlace const& place) {
  std::string const more = " (" + place.text() + ")";
  try {
    throw;
  } catch (PeerTimeout const& error) {
    throw PeerTimeout(error, more);
  } catch (PeerAborted const& error) {
    throw PeerAborted(error.what() + more);
  } catch (FingerprintMismatch const& error) {
    throw FingerprintMismatch(error.what() + more);
  } catch (NonFiniteGradient const& error) {
    throw NonFiniteGradient(error.what() + more);
  }
}

}  // namespace weir::inline v1
