#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "weir/host/kernels/sparsify_passes.hpp"

namespace weir_sparsify {

/// What passes over the data have cost. Bytes are those of arrays as long as the bucket and of what is
/// selected; candidates, which are a small part of it, are not counted.
struct Cost {
  double seconds_estimate = 0.0;
  double seconds_select = 0.0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
};

/// The passes of the library over one bucket, with a clock and a meter.
template <class Element, class Real, class Index>
class MeteredPasses {
 public:
  using Passes = weir::detail::SparsifyPasses<Element, Real, Index>;
  using Work = typename Passes::Work;

  MeteredPasses(weir::ThreadTeam& team, Work const& work, weir::SelectionKey const& key)
      : passes_(team, work, key), work_(work) {}

  Cost const& cost() const { return cost_; }
  std::size_t size() const { return passes_.size(); }
  void take(weir::TailStatistics const& tail) { passes_.take(tail); }

  template <bool Moments, bool Logarithms>
  weir::TailStatistics accumulate() {
    return first([this] { return passes_.template accumulate<Moments, Logarithms>(); });
  }
  weir::TailStatistics accumulate_ranked(std::uint64_t k) {
    return first([this, k] { return passes_.accumulate_ranked(k); });
  }
  weir::TailStatistics accumulate_above(Real threshold) {
    return first([this, threshold] { return passes_.accumulate_above(threshold); });
  }

  template <bool Logarithms>
  weir::TailStatistics moments() {
    return estimate([this] { return passes_.template moments<Logarithms>(); });
  }
  weir::TailStatistics excess(double base, double scale) {
    return estimate([=, this] { return passes_.excess(base, scale); });
  }
  std::uint64_t count(Real threshold) {
    return estimate([=, this] { return passes_.count(threshold); });
  }
  weir::RankAnswer rank(weir::RankQuery const& query, Real largest) {
    return estimate([&, this] { return passes_.rank(query, largest); });
  }
  void count_shared(weir::SharedRankSearch<Real> const& shared, std::uint64_t* counters) {
    estimate([&, this] { passes_.count_shared(shared, counters); });
  }
  Real sample(weir::SampleRequest const& request) {
    cost_.bytes_read += request.size * sizeof(Real);
    return estimate([&, this] { return passes_.sample(request); });
  }

  std::uint64_t select(weir::SlotCut<Real> const& cut) {
    std::uint64_t const finite = timed(cost_.seconds_select, [&, this] { return passes_.select(cut); });
    std::uint64_t const all = finite + cut.non_finite;
    if (all <= work_.out.capacity()) cost_.bytes_written += all * pair_bytes;
    return finite;
  }
  void draw(std::uint64_t count, double factor) {
    timed(cost_.seconds_select, [=, this] { passes_.draw(count, factor); });
    cost_.bytes_read += count * sizeof(Real);
    cost_.bytes_written += count * pair_bytes;
  }
  void commit(std::uint64_t count, bool has_non_finite) {
    timed(cost_.seconds_select, [=, this] { passes_.commit(count, has_non_finite); });
    if (work_.residual.empty()) return;
    cost_.bytes_written += count * sizeof(Real);
    if (has_non_finite) cost_.bytes_read += size() * sizeof(Real);
  }

 private:
  static constexpr std::uint64_t pair_bytes = sizeof(Index) + sizeof(Real);

  /// The pass that makes the accumulator.
  template <class Pass>
  auto first(Pass const& pass) {
    bool const has_residual = !work_.residual.empty();
    bool const is_there = !has_residual && work_.accumulator.empty();
    cost_.bytes_read += size() * (sizeof(Element) + (has_residual ? sizeof(Real) : 0));
    cost_.bytes_written += is_there ? 0 : size() * sizeof(Real);
    return timed(cost_.seconds_estimate, pass, 1);
  }

  template <class Pass>
  auto estimate(Pass const& pass) {
    return timed(cost_.seconds_estimate, pass);
  }

  /// `counted`: of the sweeps over the accumulator, those whose bytes are counted elsewhere.
  template <class Pass>
  auto timed(double& seconds, Pass const& pass, std::uint64_t counted = 0) {
    struct Meter {
      MeteredPasses& self;
      double& seconds;
      std::uint64_t sweeps;
      std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
      ~Meter() {
        seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        self.cost_.bytes_read += (self.passes_.sweeps() - sweeps) * self.size() * sizeof(Real);
      }
    };
    Meter const meter{*this, seconds, passes_.sweeps() + counted};
    return pass();
  }

  Passes passes_;
  Work const& work_;
  Cost cost_ = {};
};

}  // namespace weir_sparsify
