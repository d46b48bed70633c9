#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/first_pass.cuh"
#include "weir/cuda/kernels/rank_bins.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/select_slots.cuh"
#include "weir/cuda/kernels/sparsify_memory.cuh"
#include "weir/cuda/kernels/tree_pass.cuh"
#include "weir/exec/threshold_search.hpp"

namespace weir::inline v1 {
namespace detail {

/// What the first block does between two phases, while the others wait: it makes an answer of what they have
/// left, hands it to the search, and says what comes next.
template <class Policy, class Work>
class SearchLeader {
  using Real = typename Work::Real;
  using Key = typename Work::Key;
  using Bits = typename Work::Bits;
  using Command = SearchCommand<Real>;
  using Search = ThresholdSearch<Policy, Real>;

 public:
  /// Shared memory of that block, from the first phase to the last.
  struct Memory {
    alignas(16) unsigned char search[sizeof(Search)];
    alignas(16) unsigned char state[sizeof(ThresholdState)];
    alignas(16) unsigned char ranks[sizeof(RankSearch<Real>)];  // of a sample
    TailStatistics tail;
    RankQuery query;  // that is being answered
    std::uint64_t above;
    bool ranks_sample;
    bool has_candidates;
    Bits guard;
    FoundBin found;
    UnitPlace total;
    std::uint64_t sums[search_threads];
    UnitPlace places[search_threads];
  };

  WEIR_HOST_DEVICE SearchLeader(Work const& work, Policy const& policy, Memory& memory)
      : work_(work), policy_(policy), memory_(memory) {}

  /// After a phase; the one that comes first is `begin`.
  template <class Block>
  WEIR_HOST_DEVICE void decide(Block const& block, SearchPhase phase) const {
    switch (phase) {
      case SearchPhase::begin:
        copy_words(block, work_.state, memory_.state);
        break;
      case SearchPhase::excess:
      case SearchPhase::moments:
        fold_nodes(block, work_.nodes(), work_.layout.subtrees);
        break;
      case SearchPhase::bins:
        find_bin(block, work_.counters(), memory_.query.rank - memory_.above, memory_.sums, memory_.found);
        break;
      case SearchPhase::count_slots:
      case SearchPhase::count_marks:
        place_units(block, work_.unit_counts(), work_.unit_places(), work_.layout.units, memory_.places,
                    memory_.total);
        break;
      default:
        break;
    }
    block.once([&] { resume(phase); });
    // The state goes back into memory when the search has moved it on.
    if (search().task == SearchTask::finish) copy_words(block, memory_.state, work_.state);
  }

 private:
  WEIR_HOST_DEVICE Search& search() const { return reinterpret_cast<Search&>(memory_.search); }
  WEIR_HOST_DEVICE ThresholdState& state() const { return reinterpret_cast<ThresholdState&>(memory_.state); }
  WEIR_HOST_DEVICE RankSearch<Real>& ranks() const {
    return reinterpret_cast<RankSearch<Real>&>(memory_.ranks);
  }
  WEIR_HOST_DEVICE Command& command() const { return work_.header().command; }

  template <class Block>
  WEIR_HOST_DEVICE static void copy_words(Block const& block, void const* from, void* to) {
    static_assert(sizeof(ThresholdState) % sizeof(std::uint64_t) == 0);
    block.each([&](unsigned thread) {
      constexpr std::size_t words = sizeof(ThresholdState) / sizeof(std::uint64_t);
      for (std::size_t i = thread; i < words; i += search_threads) {
        static_cast<std::uint64_t*>(to)[i] = static_cast<std::uint64_t const*>(from)[i];
      }
    });
  }

  WEIR_HOST_DEVICE TailStatistics tail_of(SparsifyHeader<Real> const& header, FirstPassMode mode) const {
    switch (mode) {
      case FirstPassMode::skipped:
        return {};
      case FirstPassMode::given:
        return *work_.tail;
      case FirstPassMode::moments:
        return header.tail;
      default:
        break;
    }
    TailStatistics tail;
    tail.non_finite = header.non_finite;
    tail.participants = header.participants;
    if (tail.participants == 0) return tail;
    tail.smallest = static_cast<double>(Key::value(header.smallest));
    tail.largest = static_cast<double>(Key::value(header.largest));
    return tail;
  }

  WEIR_HOST_DEVICE void resume(SearchPhase phase) const {
    SearchPhase writes = SearchPhase::end;
    switch (phase) {
      case SearchPhase::begin:
        start();
        break;
      case SearchPhase::excess:
        search().resume_excess(policy_, root());
        break;
      case SearchPhase::moments:
        search().resume_moments(policy_, root());
        break;
      case SearchPhase::count: {
        std::uint64_t const counted = work_.header().counted;
        work_.header().counted = 0;
        search().resume_count(policy_, counted);
        break;
      }
      case SearchPhase::bins:
        if (!answer_rank()) return;
        break;
      case SearchPhase::collect:
        memory_.has_candidates = work_.header().overflows == 0;
        return count_slots(memory_.has_candidates);
      case SearchPhase::count_slots: {
        SlotCut<Real> const& cut = command().cut;
        UnitPlace const& total = memory_.total;
        search().resume_select(policy_, total.above + (total.equal < cut.ties ? total.equal : cut.ties));
        writes = SearchPhase::write_slots;
        break;
      }
      case SearchPhase::clear_marks:
        command().phase = SearchPhase::mark;
        return;
      case SearchPhase::mark:
        command().phase = SearchPhase::count_marks;
        return;
      case SearchPhase::count_marks:
        search().resume_draw();
        writes = SearchPhase::write_marks;
        break;
      case SearchPhase::write_slots:
      case SearchPhase::write_marks:
        command().phase = SearchPhase::clear_non_finite;
        command().is_last = 1;
        return;
      default:
        return;
    }
    // Nothing to look for: the search goes on at once.
    while (search().task == SearchTask::select && search().cut.non_finite == 0 &&
           Key::of(search().cut.threshold) >= Key::infinity) {
      search().resume_select(policy_, 0);
    }
    go_on(writes);
  }

  WEIR_HOST_DEVICE void start() const {
    SparsifyHeader<Real> const& header = work_.header();
    FirstPassMode const mode = header.mode;
    memory_.tail = tail_of(header, mode);
    memory_.has_candidates = mode == FirstPassMode::candidates && header.overflows == 0;
    memory_.guard = header.guard;
    bool const is_shared = work_.shared_tail != nullptr;
    bool const has_moments = mode == FirstPassMode::given || mode == FirstPassMode::moments;
    search().start(policy_, work_.constants, state(), work_.layout.size, work_.capacity, memory_.tail,
                   is_shared ? work_.shared_tail->tail : memory_.tail,
                   is_shared ? work_.shared_tail->ranks : 1, work_.scale.skip(), has_moments,
                   work_.shared_rank);
  }

  WEIR_HOST_DEVICE TailStatistics root() const {
    return work_.layout.subtrees == 0 ? TailStatistics{} : work_.nodes()[0].statistics();
  }

  /// Turns what the search asks for into a phase; `writes` is the one that writes what is selected.
  WEIR_HOST_DEVICE void go_on(SearchPhase writes) const {
    Command& next = command();
    next.is_last = 0;
    // What is selected is written from where it was counted.
    if (search().task != SearchTask::finish) next.source = SearchSource::values;
    switch (search().task) {
      case SearchTask::excess:
        next.phase = SearchPhase::excess;
        next.base = search().base;
        next.scale = search().scale;
        return;
      case SearchTask::moments:
        next.phase = SearchPhase::moments;
        return;
      case SearchTask::count:
        next.phase = SearchPhase::count;
        next.threshold = search().threshold;
        if (memory_.has_candidates && Key::of(next.threshold) >= memory_.guard)
          next.source = SearchSource::candidates;
        return;
      case SearchTask::rank:
        memory_.ranks_sample = false;
        return begin_rank(search().query, memory_.has_candidates);
      case SearchTask::sample:
        next.samples = search().sample.size;
        memory_.ranks_sample = true;
        ranks().start(search().sample.rank, 0, true);
        return begin_rank(ranks().query, false);
      case SearchTask::select:
        return begin_select();
      case SearchTask::draw:
        next.phase = SearchPhase::clear_marks;
        next.drawn = search().drawn;
        next.multiplier = static_cast<Real>(search().drawn_factor);
        return;
      case SearchTask::finish:
        return finish(writes);
    }
  }

  /// The keys that a query is about lie between these.
  WEIR_HOST_DEVICE Bits lowest() const {
    bool const is_first = memory_.query.parent_shift == 63;
    Bits const low =
        is_first ? Bits{0} : static_cast<Bits>(memory_.query.prefix << memory_.query.parent_shift);
    return low == 0 ? Bits{1} : low;  // no zeros
  }
  WEIR_HOST_DEVICE Bits highest() const {
    if (memory_.query.parent_shift == 63) return Key::of(static_cast<Real>(memory_.tail.largest));
    Bits const low = static_cast<Bits>(memory_.query.prefix << memory_.query.parent_shift);
    return low + ((Bits{1} << memory_.query.parent_shift) - 1);
  }

  /// `from_candidates`: where they are enough.
  WEIR_HOST_DEVICE void begin_rank(RankQuery const& query, bool from_candidates) const {
    memory_.query = query;
    memory_.above = 0;
    bool const has_all = query.parent_shift == 63 || lowest() > memory_.guard;
    Command& next = command();
    next.phase = SearchPhase::bins;
    next.source = memory_.ranks_sample         ? SearchSource::samples
                  : from_candidates && has_all ? SearchSource::candidates
                                               : SearchSource::values;
    next.window = BinWindow<Bits>::below(highest(), lowest(), query.shift);
  }

  /// Whether the search has its answer.
  WEIR_HOST_DEVICE bool answer_rank() const {
    Command& next = command();
    FoundBin const& found = memory_.found;
    bool const is_there = found.inside != 0;
    Bits const key = is_there ? next.window.key_of(static_cast<std::size_t>(found.bin)) : Bits{0};
    if (next.source == SearchSource::candidates) {
      // A bin that the guard lies in is not known in full, nor is anything below.
      bool const is_known = is_there && key > memory_.guard;
      if (!is_known && (is_there || next.window.low <= memory_.guard || next.window.low <= lowest())) {
        begin_rank(memory_.query, false);
        return false;
      }
    }
    if (!is_there) {
      memory_.above += found.above;
      if (next.window.low > lowest()) {
        next.window = BinWindow<Bits>::below(next.window.low - 1, lowest(), memory_.query.shift);
        return false;
      }
      // So few of a sample are not 0; of a bucket there are always enough.
      if (memory_.ranks_sample) search().resume_sample(policy_, Real{0});
      return true;
    }
    RankAnswer const answer{std::uint64_t{key >> memory_.query.shift}, memory_.above + found.above,
                            found.inside};
    if (!memory_.ranks_sample) {
      search().resume_rank(answer);
      return true;
    }
    if (ranks().resume(answer)) {
      begin_rank(ranks().query, false);
      return false;
    }
    search().resume_sample(policy_, ranks().cut.threshold);
    return true;
  }

  WEIR_HOST_DEVICE void begin_select() const {
    Command& next = command();
    next.cut = search().cut;
    Bits const threshold = Key::of(next.cut.threshold);
    Bits const below = next.cut.ties == 0 || threshold == 0 ? threshold : static_cast<Bits>(threshold - 1);
    Bits const guard = below < Key::infinity ? below : static_cast<Bits>(Key::infinity - 1);
    bool const has_all = memory_.has_candidates && guard >= memory_.guard;
    // Where many are selected, units have no room for them; small buckets stay in the caches.
    bool const is_worth_it =
        work_.layout.size >= least_guarded && state().density <= 0.125 && !SelectsEverything<Policy>;
    if (has_all || !is_worth_it) return count_slots(has_all);
    work_.header().overflows = 0;
    memory_.guard = guard;
    next.guard = guard;
    next.phase = SearchPhase::collect;
  }

  WEIR_HOST_DEVICE void count_slots(bool from_candidates) const {
    Command& next = command();
    next.phase = SearchPhase::count_slots;
    next.source = from_candidates ? SearchSource::candidates : SearchSource::values;
  }

  WEIR_HOST_DEVICE void finish(SearchPhase writes) const {
    Command& next = command();
    SelectionCounts const counts = search().counts();
    *work_.counts = counts;
    next.commits = search().commits() ? 1 : 0;
    bool const clears = search().commits() && memory_.tail.non_finite != 0 &&
                        (!work_.residual.empty() || !work_.momentum.empty());
    search().finish(work_.constants, state());
    next.phase = counts.count != 0 ? writes : clears ? SearchPhase::clear_non_finite : SearchPhase::end;
    next.is_last = next.phase != writes || !clears ? 1 : 0;
  }

  Work const& work_;
  Policy const& policy_;
  Memory& memory_;
};

}  // namespace detail
}  // namespace weir::inline v1
