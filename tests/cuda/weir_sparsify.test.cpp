// The bucket of weir-sparsify on a GPU, on the stand-in: what its steps report and leave is that of the
// host's.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../../examples/apps/weir_sparsify/gpu_bucket.hpp"
#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/sparsify.hpp"
#include "weir/host/executor.hpp"

namespace {

using namespace weir_sparsify;

/// Two do here.
struct Policies {
  template <class Function>
  static void with(Estimator estimator, Function const& f) {
    if (estimator == Estimator::topk) return f(weir::ExactTopK{});
    f(weir::Exponential{});
  }
};

template <class Element>
Gradient gradient_of(std::size_t size, std::uint64_t seed) {
  Gradient gradient;
  gradient.size = size;
  gradient.bytes = AlignedArray<std::byte>(size * sizeof(Element));
  for (std::size_t i = 0; i < size; ++i) {
    double const u = static_cast<double>((i * 7919 + seed * 104729) % 10007 + 1) / 10008.0;
    Element const value = static_cast<Element>(static_cast<float>(i % 3 == 0 ? std::log(u) : -std::log(u)));
    std::memcpy(gradient.bytes.data() + i * sizeof(Element), &value, sizeof(Element));
  }
  return gradient;
}

template <class Element>
std::vector<Gradient> gradients_of(std::size_t size, std::uint64_t count) {
  std::vector<Gradient> gradients;
  for (std::uint64_t seed = 1; seed <= count; ++seed) gradients.push_back(gradient_of<Element>(size, seed));
  return gradients;
}

template <class T>
std::vector<T> read(ArrayBytes const& array) {
  std::vector<T> values(array.size);
  REQUIRE(array.bytes.size() == array.size * sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

/// The same steps by the host's verb, which says what is right.
template <class Element>
class HostSteps {
 public:
  HostSteps(Options const& options, std::size_t size)
      : options_(options),
        sides_{std::vector<float>(size), std::vector<float>(size)},
        accumulator_(size),
        indices_(options.capacity < size ? options.capacity : size),
        values_(indices_.size()),
        scratch_(weir::sparsify_scratch_bytes<float>(executor_, size, options.density)) {
    weir::InitialiseThreshold{&state_, options.density}();
  }

  void step(Gradient const& gradient, std::uint64_t number) {
    using Space = weir::HostSpace;
    weir::WeightedTerm<Element, Space> const term{
        {const_cast<Element*>(gradient.as<Element>()), gradient.size}, 1.0};
    weir::SparsifyWork<Element, float, Space> work;
    work.terms = {&term, 1};
    if (options_.has_feedback) {
      work.residual = {sides_[0].data(), sides_[1].data(), gradient.size, &state_.side};
    } else {
      work.accumulator = {accumulator_.data(), gradient.size};
    }
    work.constants = options_.constants;
    work.state = &state_;
    work.out = {&counts_, {indices_.data(), indices_.size()}, {values_.data(), values_.size()}};
    work.scratch = {scratch_.data(), scratch_.size()};
    work.step = &number;
    Policies::with(options_.estimator, [&](auto const& policy) { weir::sparsify(executor_, work, policy); });
    executor_.synchronize();
  }

  weir::SparsifyStatistics const& statistics() const { return state_.last; }
  std::vector<std::uint32_t> indices() const { return {indices_.begin(), indices_.begin() + count()}; }
  std::vector<float> values() const { return {values_.begin(), values_.begin() + count()}; }
  std::vector<float> const& residual() const { return sides_[state_.side & 1u]; }

 private:
  std::ptrdiff_t count() const {
    bool const is_sent = state_.last.status == weir::SparsifyStatus::selected;
    return is_sent ? static_cast<std::ptrdiff_t>(counts_.count) : 0;
  }

  Options const& options_;
  weir::HostExecutor executor_;
  weir::ThresholdState state_;
  weir::SelectionCounts counts_;
  std::vector<float> sides_[2];
  std::vector<float> accumulator_;
  std::vector<std::uint32_t> indices_;
  std::vector<float> values_;
  std::vector<std::byte> scratch_;
};

template <class Element>
void check(Options const& options, std::vector<Gradient> const& gradients) {
  CleanSession const session;
  std::size_t const size = gradients.front().size;
  GpuBucket<Element, Policies> bucket(options, size);
  HostSteps<Element> expected(options, size);
  for (std::uint64_t number = 0; number < gradients.size(); ++number) {
    CAPTURE(number);
    StepReport const report = bucket.step(gradients[number], number);
    expected.step(gradients[number], number);
    weir::SparsifyStatistics const& right = expected.statistics();
    CHECK(report.statistics.status == right.status);
    CHECK(report.statistics.threshold == right.threshold);
    CHECK(report.statistics.k_selected == right.k_selected);
    CHECK(report.statistics.overflow == right.overflow);
    CHECK(report.statistics.stages == right.stages);
    CHECK(report.statistics.non_finite == right.non_finite);
    CHECK(report.k_target == weir::slots_of(options.density, size));
    CHECK(read<std::uint32_t>(bucket.indices()) == expected.indices());
    CHECK(same_bits(read<float>(bucket.values()), expected.values()));
    std::size_t const sent = expected.indices().size();
    std::size_t const kept = options.has_feedback ? 4 : 0;
    CHECK(report.cost.bytes_read == size * (sizeof(Element) + kept));
    CHECK(report.cost.bytes_written ==
          size * (options.has_feedback || sizeof(Element) == 2 ? 4 : 0) + sent * (8 + kept));
    CHECK(report.cost.seconds_select >= 0);
    if (options.has_feedback) CHECK(same_bits(read<float>(bucket.residual()), expected.residual()));
  }
}

}  // namespace

TEST_CASE("weir-sparsify on a GPU: statistics, pairs and residuals of the host") {
  for (Estimator const estimator : {Estimator::topk, Estimator::exponential}) {
    Options options;
    options.density = 0.05;
    options.estimator = estimator;
    for (bool const feedback : {false, true}) {
      CAPTURE(feedback);
      options.has_feedback = feedback;
      check<float>(options, gradients_of<float>(1001, 2));
      check<weir::half>(options, gradients_of<weir::half>(1001, 2));
    }
    options.capacity = 7;
    check<float>(options, gradients_of<float>(1001, 1));
  }
}

TEST_CASE("weir-sparsify on a GPU: a step that is skipped sends nothing, and the residual without feedback") {
  Options options;
  options.density = 0.01;
  options.estimator = Estimator::topk;
  float const nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<Gradient> gradients = gradients_of<float>(300, 4);
  std::memcpy(gradients[2].bytes.data() + 4 * 17, &nan, 4);
  options.has_feedback = true;
  check<float>(options, gradients);

  options.has_feedback = false;
  CleanSession const session;
  GpuBucket<float, Policies> bucket(options, 300);
  bucket.step(gradients[0], 0);
  auto const indices = read<std::uint32_t>(bucket.indices());
  auto const residual = read<float>(bucket.residual());
  REQUIRE(indices.size() == 3);
  for (std::size_t i = 0, next = 0; i < 300; ++i) {
    bool const is_sent = next < 3 && indices[next] == i;
    CHECK(residual[i] == (is_sent ? 0.0f : gradients[0].as<float>()[i]));
    if (is_sent) ++next;
  }
  bucket.step(gradients[2], 1);
  CHECK(bucket.indices().size == 0);
  CHECK(read<float>(bucket.residual()) == std::vector<float>(300));
}
