#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "support/cuda/stand_in.hpp"
#include "support/nccl/stand_in.hpp"
#include "weir/comm/fingerprint.hpp"

namespace nccl_ranks {

/// Both stand-ins with a device for each rank, and what must hold when all is over: no rule was broken, and
/// everything was given back.
struct Machine {
  explicit Machine(std::size_t ranks, stand_in_nccl::Options const& options = {}, std::uint64_t seed = 3)
      : cuda({.devices = static_cast<int>(ranks), .seed = seed}), nccl(options) {}
  Machine(Machine const&) = delete;
  Machine& operator=(Machine const&) = delete;
  ~Machine() {
    for (std::string const& violation : cuda.take_violations()) FAIL_CHECK(violation);
    for (std::string const& violation : nccl.take_violations()) FAIL_CHECK(violation);
    CHECK(nccl.inventory().made == nccl.inventory().destroyed + nccl.inventory().aborted);
    CHECK(cuda.inventory() == stand_in::Inventory{});
  }

  /// What NCCL was called for, besides fingerprints.
  std::multiset<std::string> names_of_rank(int rank) const {
    std::multiset<std::string> names;
    for (auto const& call : nccl.calls()) {
      if (call.rank == rank && call.count != sizeof(weir::Fingerprint)) names.insert(call.name);
    }
    return names;
  }

  stand_in::Session cuda;
  stand_in_nccl::Session nccl;
};

template <class Error, class Function>
std::string text_thrown(Function const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing thrown";
}

inline bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace nccl_ranks
