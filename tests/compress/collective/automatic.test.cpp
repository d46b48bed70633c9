#include "weir/compress/collective/automatic.hpp"

#include <atomic>

#include "compress/collective/sparse_ranks.hpp"

using Method = weir::SparseMethod;

namespace {

/// `Automatic` that tells what it has chosen.
struct Observed {
  weir::AutomaticOptions options;
  std::vector<Method>* chosen;

  template <class Context>
  auto on(Context const& context) const {
    using Bound = decltype(weir::Automatic(options).on(context));
    struct Wrapper {
      Bound bound;
      Method* chosen;
      void operator()(weir::HostExecutor const& point, weir::SparseSum<float, weir::HostSpace> const& sum) {
        bound(point, sum);
        *chosen = bound.chosen();
      }
    };
    return Wrapper{weir::Automatic(options).on(context), &(*chosen)[context.communicator.rank()]};
  }
};

Method chosen_by_all(weir::AutomaticOptions const& options, std::vector<Selected<float>> const& of_rank,
                     std::vector<Outcome<float>>& outcomes, SumOptions const& sum = {}) {
  std::vector<Method> chosen(of_rank.size(), Method::leader_indices);
  outcomes = sum_on_threads(of_rank, Observed{options, &chosen}, sum);
  for (Method const method : chosen) CHECK(method == chosen[0]);
  return chosen[0];
}

constexpr weir::Link no_latency{0.0, 1e-9};

}  // namespace

TEST_CASE("ranks that have selected differently much choose alike: what is cheapest for the largest count") {
  std::vector<Outcome<float>> outcomes;
  weir::AutomaticOptions options{.link = no_latency};
  for (std::size_t const ranks : {2u, 4u, 7u}) {
    for (double const density : {0.01, 0.1, 0.3, 0.5}) {
      auto const of_rank = selections<float>(ranks, 900, density, 3);
      std::size_t largest = 0;
      for (auto const& rank : of_rank) largest = std::max(largest, rank.indices.size());
      auto const expected =
          weir::cheapest_method(options.allowed, {ranks, 900.0, static_cast<double>(largest)}, options.link);
      CHECK(chosen_by_all(options, of_rank, outcomes) == expected);
      if (weir::is_dense(expected)) continue;
      auto const sum = sum_of_selected(of_rank);
      bool is_close = true;
      for (std::size_t i = 0; i < sum.size(); ++i)
        is_close = is_close && std::abs(outcomes[0].sum[i] - sum[i]) <= 1e-6 * (1 + std::abs(sum[i]));
      CHECK(is_close);
    }
  }
}

TEST_CASE("where compression costs more than it saves all ranks send everything, and nothing is lost") {
  std::vector<Outcome<float>> outcomes;
  auto const of_rank = selections<float>(4, 900, 0.01, 3, true);
  weir::AutomaticOptions const options{.link = no_latency, .seconds_per_element = 1.0};
  CHECK(chosen_by_all(options, of_rank, outcomes) == Method::dense_ring);
  check_conserved(of_rank, outcomes);
  for (auto const& rank : outcomes) CHECK(rank.residual == std::vector<float>(900));
}

TEST_CASE("every method that is allowed can be chosen, and is what is done") {
  std::vector<Outcome<float>> outcomes;
  auto const of_rank = selections<float>(4, 600, 0.05, 5, true);
  for (Method const method : {Method::all_gather, Method::recursive_doubling, Method::split,
                              Method::global_top_k, Method::balanced, Method::leader_indices}) {
    CAPTURE(std::string(weir::name_of(method)));
    weir::AutomaticOptions const options{.link = no_latency, .allowed = weir::SparseMethodSet::of(method)};
    CHECK(chosen_by_all(options, of_rank, outcomes) == method);
    check_conserved(of_rank, outcomes);
  }
}

TEST_CASE("where indices are shared only values travel") {
  auto of_rank = selections<float>(3, 600, 0.1, 5);
  for (auto& rank : of_rank) {
    rank.indices = of_rank[0].indices;
    rank.values.assign(rank.indices.size(), 2.0F);
  }
  std::vector<Outcome<float>> outcomes;
  CHECK(chosen_by_all({.link = no_latency}, of_rank, outcomes, {.shares_indices = true}) ==
        Method::shared_indices);
  CHECK(same_bits(outcomes[1].sum, sum_of_selected(of_rank)));
}

TEST_CASE("chosen once, the capacity decides and not what was selected") {
  auto const of_rank = selections<float>(4, 600, 0.01, 5);
  std::vector<Outcome<float>> outcomes;
  weir::AutomaticOptions options{.link = no_latency, .choice = weir::ChoiceTime::binding};
  CHECK(weir::is_dense(chosen_by_all(options, of_rank, outcomes, {.capacity = 600})));
  options.choice = weir::ChoiceTime::each_step;
  CHECK_FALSE(weir::is_dense(chosen_by_all(options, of_rank, outcomes, {.capacity = 600})));
}

TEST_CASE("ranks with other options are found out where that is verified") {
  std::atomic<int> refused = 0;
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    auto const of_rank = selections<float>(2, 600, 0.05, 5);
    weir::AutomaticOptions options{.link = no_latency, .verifies = true};
    if (communicator.rank() == 1) options.allowed = {};
    try {
      sum_on(communicator, of_rank[communicator.rank()], weir::Automatic(options));
    } catch (weir::FingerprintMismatch const&) {
      ++refused;
    }
  });
  CHECK(refused == 2);
}
