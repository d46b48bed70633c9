#include "weir/exec/sparsify_arguments.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

struct Staged {
  static constexpr char const* name = "staged";
  double fit(weir::TailStatistics const&, double) const { return 0.0; }
  double fit_excess(weir::TailStatistics const&, double) const { return 0.0; }
};
struct OneStage {
  static constexpr char const* name = "one stage";
  double fit(weir::TailStatistics const&, double) const { return 0.0; }
};
struct Ranked {
  static constexpr char const* name = "ranked";
  static constexpr bool is_exact = true;
  std::uint64_t tolerance(std::uint64_t) const { return 0; }
};

static_assert(weir::RankedThreshold<Ranked> && Ranked::is_exact);

using Work = weir::SparsifyWork<float, float, weir::HostSpace>;

/// A description that is fine, to be spoilt.
struct Good {
  float values[8] = {};
  float sides[2][8] = {};
  float momenta[2][8] = {};
  std::uint32_t indices[8] = {};
  float out[8] = {};
  alignas(16) std::byte scratch[80] = {};
  weir::ThresholdState state;
  weir::SelectionCounts counts;
  weir::TailStatistics tail;
  weir::SharedTail shared_tail;
  weir::WeightedTerm<float, weir::HostSpace> term{{values, 8}, 1.0};
  Work work;

  Good() {
    work.terms = std::span(&term, 1);
    work.residual = {sides[0], sides[1], 8, &state.side};
    work.state = &state;
    work.out = {&counts, {indices, 8}, {out, 8}};
    work.scratch = {scratch, 64};
  }

  template <class Policy = Staged>
  std::string refusal() const {
    try {
      weir::detail::check_sparsify<Policy>(work, 64);
    } catch (weir::ContractViolation const& refused) {
      return refused.what();
    }
    return "";
  }
};

bool names(std::string const& text, char const* what) {
  return text.find("sparsify") != std::string::npos && text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a good description is taken") {
  CHECK(Good().refusal() == "");
  CHECK(Good().refusal<OneStage>() == "");
  CHECK(Good().refusal<Ranked>() == "");
}

TEST_CASE("what is missing or of another size is named") {
  Good good;
  good.work.state = nullptr;
  CHECK(names(good.refusal(), "state"));
  Good counts;
  counts.work.out.counts = nullptr;
  CHECK(names(counts.refusal(), "counts"));
  Good terms;
  terms.work.terms = {};
  CHECK(names(terms.refusal(), "terms"));
  Good out;
  out.work.out.values = {out.out, 7};
  CHECK(names(out.refusal(), "out.values"));
  Good scratch;
  scratch.work.scratch = {scratch.scratch, 63};
  CHECK(names(scratch.refusal(), "64 are needed"));
  Good odd;
  odd.work.scratch = {odd.scratch + 8, 64};
  CHECK(names(odd.refusal(), "scratch begins at no multiple of 16 bytes"));
  Good residual;
  residual.work.residual = {residual.sides[0], residual.sides[1], 7, &residual.state.side};
  CHECK(names(residual.refusal(), "the residual"));
  Good momentum;
  momentum.work.momentum = {momentum.momenta[0], momentum.momenta[1], 7, &momentum.state.side};
  CHECK(names(momentum.refusal(), "the momentum"));
  Good part;
  part.work.part = weir::SparsifyPart::accumulate;
  CHECK(names(part.refusal(), "tail"));
}

TEST_CASE("a residual that could not be undone is refused, unless it never has to be") {
  Good good;
  good.work.residual = {good.sides[0], good.sides[0], 8, &good.state.side};
  CHECK(names(good.refusal(), "two sides"));
  good.work.constants.non_finite = weir::NonFinitePolicy::propagate;
  CHECK(good.refusal() == "");
  std::uint32_t other_word = 0;
  good.work.residual = {good.sides[0], good.sides[1], 8, &other_word};
  CHECK(names(good.refusal(), "side word"));
}

TEST_CASE("without a residual, what is not the accumulator yet needs one") {
  Good good;
  good.work.residual = {};
  CHECK(good.refusal() == "");
  good.term.weight = 0.5;
  CHECK(names(good.refusal(), "accumulator"));
  float accumulator[8];
  good.work.accumulator = {accumulator, 8};
  CHECK(good.refusal() == "");
}

TEST_CASE("buckets too large for their indices are refused") {
  Good good;
  std::size_t const size = (std::size_t{1} << 31) + 1;
  good.term.values = {good.values, size};
  good.work.residual = {good.sides[0], good.sides[1], size, &good.state.side};
  CHECK(names(good.refusal(), "64-bit indices"));
}

TEST_CASE("stages that a policy cannot have, and ratios that are none") {
  Good good;
  good.work.constants.stages.stages = 2;
  CHECK(good.refusal() == "");
  CHECK(names(good.refusal<OneStage>(), "has one stage"));
  CHECK(good.refusal<Ranked>() == "");
  good.work.constants.stages.stages = 65;
  CHECK(good.refusal().empty());
  good.work.constants.stages.stages = 0;
  CHECK(names(good.refusal(), "0 stages"));
  good.work.constants.stages = {.first_ratio = 1.0};
  CHECK(names(good.refusal(), "between 0 and 1"));
}

TEST_CASE("what excludes each other") {
  Good good;
  good.work.constants.rounds_values = true;
  good.work.constants.precision = weir::ElementType::float32;
  CHECK(names(good.refusal(), "float32"));
  Good shared;
  shared.work.shared_tail = &shared.shared_tail;
  CHECK(shared.refusal() == "");
  CHECK(names(shared.refusal<Ranked>(), "not fitted"));
  weir::SharedRankSearch<float> search;
  shared.work.shared_rank = &search;
  CHECK(shared.refusal<Ranked>() == "");
  CHECK(names(shared.refusal(), "does not take the largest by counting"));
  shared.work.part = weir::SparsifyPart::count;
  shared.work.tail = &shared.tail;
  CHECK(names(shared.refusal<Ranked>(), "counters"));
  std::uint64_t counters[weir::SharedRankSearch<float>::counters] = {};
  shared.work.counters = counters;
  CHECK(shared.refusal<Ranked>() == "");
  shared.work.shared_rank = nullptr;
  CHECK(names(shared.refusal<Ranked>(), "shared_rank"));
  Good differences;
  differences.work.constants.feedback = weir::FeedbackKind::differences;
  CHECK(names(differences.refusal(), "accumulator"));
  float accumulator[8];
  differences.work.accumulator = {accumulator, 8};
  CHECK(differences.refusal() == "");
  differences.work.momentum = {differences.momenta[0], differences.momenta[1], 8, &differences.state.side};
  CHECK(names(differences.refusal(), "exclude each other"));
}
