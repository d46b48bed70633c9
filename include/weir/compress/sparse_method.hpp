#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::inline v1 {

/// The ways to sum over ranks what each has selected, in the order of the cost table.
enum class SparseMethod : std::uint8_t {
  dense_ring,
  dense_halving,
  all_gather,
  recursive_doubling,
  split,
  global_top_k,
  balanced,
  shared_indices,
  leader_indices
};

inline constexpr std::size_t sparse_methods = 9;

constexpr char const* name_of(SparseMethod method) {
  constexpr char const* names[sparse_methods] = {"dense ring",         "dense halving",  "all-gather",
                                                 "recursive doubling", "split",          "global top-k",
                                                 "balanced",           "shared indices", "leader's indices"};
  auto const index = static_cast<std::size_t>(method);
  return index < sparse_methods ? names[index] : "unknown";
}

constexpr bool is_dense(SparseMethod method) {
  return method <= SparseMethod::dense_halving;
}

/// A few of the methods.
class SparseMethodSet {
 public:
  constexpr SparseMethodSet() = default;

  template <class... Methods>
  static constexpr SparseMethodSet of(Methods... methods) {
    SparseMethodSet set;
    ((set.bits_ |= bit(methods)), ...);
    return set;
  }

  constexpr bool contains(SparseMethod method) const { return (bits_ & bit(method)) != 0; }
  constexpr SparseMethodSet with(SparseMethod method) const {
    SparseMethodSet set = *this;
    set.bits_ |= bit(method);
    return set;
  }
  constexpr bool operator==(SparseMethodSet const&) const = default;

 private:
  static constexpr std::uint32_t bit(SparseMethod method) {
    return std::uint32_t{1} << static_cast<unsigned>(method);
  }

  std::uint32_t bits_ = 0;
};

/// Those that sum everything that was selected, whatever was selected.
inline constexpr SparseMethodSet exact_sparse_methods =
    SparseMethodSet::of(SparseMethod::all_gather, SparseMethod::recursive_doubling, SparseMethod::split);

}  // namespace weir::inline v1
