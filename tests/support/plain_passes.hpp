#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/exec/excess_lane.hpp"
#include "weir/host/executor.hpp"

namespace weir_test {

/// What the passes of the host do, in plain loops over all elements: their oracle.
template <class Element, class Real>
class PlainPasses {
 public:
  using Work = weir::SparsifyWork<Element, Real, weir::HostSpace>;
  using Key = weir::MagnitudeKey<Real>;

  PlainPasses(Work const& work, weir::SelectionKey const& key)
      : work_(work), key_(key), accumulator_(weir::detail::accumulator_of(work)) {}

  std::size_t size() const { return work_.terms[0].values.size(); }

  void take(weir::TailStatistics const&) const {}

  template <bool, bool>
  weir::TailStatistics accumulate() {
    weir::detail::AccumulateRule<Real> const rule(work_.constants, work_.scale.factor());
    for (std::size_t i = 0; i < size(); ++i) {
      Real sum = 0;
      for (std::size_t term = 0; term < work_.terms.size(); ++term) {
        Real const product = weir::rounded_product(
            weir::detail::convert<Real>(static_cast<Element>(work_.terms[term].values[i])),
            static_cast<Real>(work_.terms[term].weight));
        sum = term == 0 ? product : sum + product;
      }
      Real g = rule.gradient(sum);
      if (!work_.momentum.empty()) {
        Real u = work_.momentum.current()[i];
        g = rule.with_momentum(g, work_.residual.current()[i], u);
        work_.momentum.other()[i] = u;
      } else if (!work_.residual.empty()) {
        g = rule.with_residual(g, work_.residual.current()[i]);
      }
      accumulator_[i] = g;
    }
    return moments<true>();
  }

  weir::TailStatistics accumulate_ranked(std::uint64_t) { return accumulate<true, true>(); }
  weir::TailStatistics accumulate_above(Real) { return accumulate<true, true>(); }

  template <bool>
  weir::TailStatistics moments() const {
    return fold<weir::detail::TailLane<Real>>([](auto& lane, Real value) { lane.add(value); });
  }

  weir::TailStatistics excess(double base, double scale) const {
    return fold<weir::detail::ExcessLane<Real>>(
        [&](auto& lane, Real value) { lane.add(value, base, scale); });
  }

  std::uint64_t count(Real threshold) const {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      auto const key = Key::of(accumulator_[i]);
      found += key > Key::of(threshold) && key < Key::infinity;
    }
    return found;
  }

  void count_shared(weir::SharedRankSearch<Real> const& shared, std::uint64_t* counters) const {
    for (std::size_t i = 0; i < size(); ++i) {
      std::size_t const counter = shared.counter_of(accumulator_[i]);
      if (counter < weir::SharedRankSearch<Real>::counters) ++counters[counter];
    }
  }

  weir::RankAnswer rank(weir::RankQuery const& query, Real) const {
    std::vector<std::uint64_t> keys;
    for (std::size_t i = 0; i < size(); ++i) {
      std::uint64_t const key = Key::of(accumulator_[i]);
      if (key != 0 && key < Key::infinity && key >> query.parent_shift == query.prefix) keys.push_back(key);
    }
    std::sort(keys.rbegin(), keys.rend());
    weir::RankAnswer answer;
    answer.bin = keys.at(query.rank - 1) >> query.shift;
    for (std::uint64_t const key : keys) {
      answer.above += key >> query.shift > answer.bin;
      answer.inside += key >> query.shift == answer.bin;
    }
    return answer;
  }

  Real sample(weir::SampleRequest const& request) const {
    std::vector<Real> drawn;
    for (std::size_t i = 0; i < request.size; ++i) {
      auto const key = Key::of(accumulator_[weir::sampled_slot(key_, size(), request.size, i)]);
      drawn.push_back(key < Key::infinity ? Key::value(key) : Real{0});
    }
    std::sort(drawn.rbegin(), drawn.rend());
    return drawn.at(request.rank - 1);
  }

  std::uint64_t select(weir::SlotCut<Real> cut) {
    std::uint64_t finite = 0;
    std::size_t written = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      auto const key = Key::of(accumulator_[i]);
      bool const is_finite = key < Key::infinity;
      std::uint64_t& left = is_finite ? cut.ties : cut.non_finite;
      bool const is_above = is_finite && key > Key::of(cut.threshold);
      if (!is_above) {
        if ((is_finite && key != Key::of(cut.threshold)) || left == 0) continue;
        --left;
      }
      finite += is_finite;
      write(written++, i, accumulator_[i]);
    }
    return finite;
  }

  void draw(std::uint64_t count, double factor) {
    std::vector<std::size_t> slots;
    weir::SlotPermutation const permutation(key_, size());
    for (std::uint64_t i = 0; i < count; ++i) slots.push_back(permutation(i));
    std::sort(slots.begin(), slots.end());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      Real const value = factor == 0.0 ? Real{0} : accumulator_[slots[i]] * static_cast<Real>(factor);
      write(i, slots[i], value);
    }
  }

  void commit(std::uint64_t count, bool) {
    bool const keeps_differences = work_.constants.feedback == weir::FeedbackKind::differences;
    for (std::size_t j = 0; j < count; ++j) {
      std::size_t const i = work_.out.indices[j];
      Real const value = work_.out.values[j];
      Real const sent = weir::detail::sent_value(value, work_.constants);
      work_.out.values[j] = sent;
      if (keeps_differences) {
        work_.residual.current()[i] += sent;
      } else if (!work_.residual.empty()) {
        accumulator_[i] = weir::detail::kept_value(value, sent);
      }
      if (!work_.momentum.empty() && work_.constants.masks_momentum) work_.momentum.other()[i] = 0;
    }
    for (std::size_t i = 0; i < size(); ++i) {
      if (!work_.residual.empty() && Key::of(accumulator_[i]) >= Key::infinity) accumulator_[i] = 0;
      if (!work_.momentum.empty() && Key::of(work_.momentum.other()[i]) >= Key::infinity) {
        work_.momentum.other()[i] = 0;
      }
    }
  }

 private:
  void write(std::size_t place, std::size_t slot, Real value) {
    if (place >= work_.out.capacity()) return;
    work_.out.indices[place] = static_cast<std::uint32_t>(slot);
    work_.out.values[place] = value;
  }

  /// The tree of exec/leaf_tree.hpp, leaf by leaf.
  template <class Lane, class Add>
  weir::TailStatistics fold(Add const& add) const {
    using namespace weir::detail;
    PairwiseFold<TailNode> leaves;
    leaves.clear();
    for (std::size_t begin = 0; begin < size(); begin += leaf_elements) {
      Lane lanes[leaf_lanes];
      for (std::size_t i = 0; i < leaf_elements && begin + i < size(); ++i) {
        add(lanes[i % leaf_lanes], accumulator_[begin + i]);
      }
      TailNode nodes[leaf_lanes];
      for (std::size_t lane = 0; lane < leaf_lanes; ++lane) nodes[lane] = lanes[lane].node();
      for (std::size_t half = leaf_lanes / 2; half != 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) nodes[i].merge(nodes[i + half]);
      }
      leaves.add(nodes[0]);
    }
    return leaves.total({}).statistics();
  }

  Work const& work_;
  weir::SelectionKey key_;
  Real* accumulator_;
};

}  // namespace weir_test
