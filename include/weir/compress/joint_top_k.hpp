#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/comm/pair_exchange.hpp"
#include "weir/comm/pair_list.hpp"

namespace weir::inline v1::detail {

/// The memory of a `JointTopK`.
struct JointTopKRoom {
  static constexpr unsigned digit_bits = 11;
  static constexpr std::size_t bins = std::size_t{1} << digit_bits;
  static constexpr std::size_t bytes = bins * sizeof(std::uint32_t);
};

/// The k largest magnitudes of values that lie on several ranks, in rank order: found by counting how many
/// have the same leading bits, 11 bits at a time. Of equal ones, the first are taken.
template <class Real, HostOrderedExecutor E>
class JointTopK {
 public:
  using Bits = decltype(magnitude_bits(Real{}));

  explicit JointTopK(E const& executor) : counters_(executor, bins) {}

  /// All ranks call it with the same `k`.
  template <class C>
  requires ReducingCommunicator<C, E, std::uint32_t>
  void search(PairExchange<C, E>& exchange, E const& point, PairList<Real> const& mine, std::size_t k) {
    threshold_ = 0;
    equal_ = 0;
    takes_all_ = false;
    takes_none_ = k == 0;
    if (takes_none_) return;
    std::size_t rest = k;
    for (unsigned shift = 8 * sizeof(Bits); shift > 0;) {
      unsigned const next = shift > digit_bits ? shift - digit_bits : 0;
      auto const counters = count(exchange, point, mine, shift, next);
      std::size_t total = 0;
      for (std::uint32_t const counter : counters) total += counter;
      if (total < rest) {  // only at the first digit: there are no more than k
        takes_all_ = true;
        return;
      }
      std::size_t digit = bins - 1;
      while (counters[digit] < rest) rest -= counters[digit--];
      threshold_ |= static_cast<Bits>(digit) << next;
      shift = next;
    }
    share_out_equal(exchange, point, mine, rest);
  }

  /// Whether a value is among them; called once for each of this rank's values, in their order.
  bool takes(Real value) {
    if (takes_all_ || takes_none_) return takes_all_;
    Bits const bits = magnitude_bits(value);
    if (bits != threshold_) return bits > threshold_;
    if (equal_ == 0) return false;
    --equal_;
    return true;
  }

 private:
  static constexpr unsigned digit_bits = JointTopKRoom::digit_bits;
  static constexpr std::size_t bins = JointTopKRoom::bins;

  template <class C>
  TensorView<std::uint32_t, HostSpace> count(PairExchange<C, E>& exchange, E const& point,
                                             PairList<Real> const& mine, unsigned shift, unsigned next) {
    auto const counters = counters_.view();
    for (std::uint32_t& counter : counters) counter = 0;
    Bits const mask = static_cast<Bits>((Bits{1} << (shift - next)) - 1);
    for (std::size_t j = 0; j < mine.count; ++j) {
      Bits const bits = magnitude_bits(mine.values[j]);
      bool const has_prefix = shift == 8 * sizeof(Bits) || (bits ^ threshold_) >> shift == 0;
      if (has_prefix) ++counters[(bits >> next) & mask];
    }
    exchange.communicator().all_reduce(point, counters);
    return counters;
  }

  /// Of the values equal to the threshold, `rest` are taken, those of the first ranks first.
  template <class C>
  void share_out_equal(PairExchange<C, E>& exchange, E const& point, PairList<Real> const& mine,
                       std::size_t rest) {
    std::uint64_t own = 0;
    for (std::size_t j = 0; j < mine.count; ++j) own += magnitude_bits(mine.values[j]) == threshold_ ? 1 : 0;
    auto const all = exchange.gather(point, {&own, 1});
    for (std::size_t r = 0; r < exchange.rank(); ++r) rest -= all[r] < rest ? all[r] : rest;
    equal_ = own < rest ? own : rest;
  }

  Buffer<std::uint32_t, E> counters_;
  Bits threshold_ = 0;
  std::size_t equal_ = 0;
  bool takes_all_ = false;
  bool takes_none_ = false;
};

}  // namespace weir::inline v1::detail
