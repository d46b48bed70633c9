#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/comm/even_split.hpp"
#include "weir/comm/pair_list.hpp"

namespace weir::inline v1::detail {

/// Cuts a bucket into one region for each rank, so that no region has more than about twice the pairs that
/// each would have if all were equal, however they are distributed over slots and ranks.
///
/// Every rank tells how many pairs it has and the first slots of equal parts of them; where a region ends is
/// decided by all of these parts together.
class BalancedRegions {
 public:
  explicit BalancedRegions(std::size_t ranks) : words_(ranks + 1), boundaries_(ranks + 1) {
    parts_.reserve(ranks * ranks);
    merged_.reserve(ranks * ranks);
  }

  /// How many pairs there are in a region at most, where no rank has more than `capacity`: its share, a part
  /// by which it goes past that, and what is in it of each rank's part that began before it.
  static constexpr std::size_t most_pairs(std::size_t capacity, std::size_t ranks) {
    std::size_t const part = (capacity + ranks - 1) / ranks;
    std::size_t const most = capacity + (ranks + 1) * part;
    return most < ranks * capacity ? most : ranks * capacity;
  }

  /// What this rank tells the others.
  template <class Real>
  std::span<std::uint64_t const> describe(PairList<Real> const& mine) {
    std::size_t const ranks = boundaries_.size() - 1;
    words_[0] = mine.count;
    for (std::size_t part = 0; part < ranks; ++part)
      words_[part + 1] = mine.count == 0 ? 0 : mine.indices[even_split(mine.count, part, ranks)];
    return words_;
  }

  /// Where the regions of a bucket begin, and where the last ends; `all` is what all ranks tell.
  std::span<std::size_t const> cut(std::span<std::uint64_t const> all, std::size_t elements) {
    std::size_t const ranks = boundaries_.size() - 1;
    std::uint64_t const total = collect_parts(all);
    sort_parts();
    boundaries_.assign(ranks + 1, elements);
    boundaries_[0] = 0;
    std::size_t region = 1;
    std::uint64_t before = 0;
    for (Part const& part : parts_) {
      while (region < ranks && before * ranks >= region * total) boundaries_[region++] = part.slot;
      before += part.pairs;
    }
    return boundaries_;
  }

 private:
  struct Part {
    std::size_t slot;  // of its first pair
    std::uint64_t pairs;
  };

  /// Returns how many pairs all of them have.
  std::uint64_t collect_parts(std::span<std::uint64_t const> all) {
    std::size_t const ranks = boundaries_.size() - 1;
    std::uint64_t total = 0;
    parts_.clear();
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      auto const words = all.subspan(rank * (ranks + 1), ranks + 1);
      total += words[0];
      for (std::size_t part = 0; part < ranks; ++part)
        parts_.push_back(
            {words[part + 1], even_split(words[0], part + 1, ranks) - even_split(words[0], part, ranks)});
    }
    return total;
  }

  /// Merges the ranks' parts, which are in order.
  void sort_parts() {
    merged_.resize(parts_.size());
    for (std::size_t run = boundaries_.size() - 1; run < parts_.size(); run *= 2) {
      for (std::size_t begin = 0; begin < parts_.size(); begin += 2 * run) {
        std::size_t const middle = at_most_size(begin + run);
        std::size_t const end = at_most_size(begin + 2 * run);
        std::size_t left = begin;
        std::size_t right = middle;
        for (std::size_t out = begin; out < end; ++out) {
          bool const takes_right = left == middle || (right < end && parts_[right].slot < parts_[left].slot);
          merged_[out] = parts_[takes_right ? right++ : left++];
        }
      }
      std::swap(parts_, merged_);
    }
  }
  std::size_t at_most_size(std::size_t place) const { return place < parts_.size() ? place : parts_.size(); }

  std::vector<std::uint64_t> words_;
  std::vector<std::size_t> boundaries_;
  std::vector<Part> parts_;
  std::vector<Part> merged_;
};

}  // namespace weir::inline v1::detail
