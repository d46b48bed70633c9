#include "weir/host/vocabulary.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "verb_hashes.hpp"
#include "verb_oracle.hpp"
#include "weir/core/half.hpp"
#include "weir/host/executor.hpp"

namespace {

using weir::bfloat16;
using weir::half;
using weir::HostSpace;
using weir::view;

static_assert(weir::CopyingBackend<weir::HostExecutor, float> &&
              weir::CopyingBackend<weir::HostExecutor, double> &&
              weir::CopyingBackend<weir::HostExecutor, half> &&
              weir::CopyingBackend<weir::HostExecutor, bfloat16>);
static_assert(weir::SummingBackend<weir::HostExecutor, float> &&
              weir::SummingBackend<weir::HostExecutor, double, double> &&
              weir::SummingBackend<weir::HostExecutor, half> &&
              weir::SummingBackend<weir::HostExecutor, bfloat16> &&
              weir::SummingBackend<weir::HostExecutor, half, double>);
static_assert(!weir::SummingBackend<weir::HostExecutor, double, float>, "it would not be exact");
static_assert(weir::MeasuringBackend<weir::HostExecutor, float> &&
              weir::MeasuringBackend<weir::HostExecutor, half>);
static_assert(weir::ScalarBackend<weir::HostExecutor> && weir::TransferringBackend<weir::HostExecutor>);
static_assert(weir::UpdatingBackend<weir::HostExecutor, float> &&
              weir::UpdatingBackend<weir::HostExecutor, double>);

constexpr std::size_t guard = 40;

/// An array at a chosen offset, with elements around it that nothing may touch.
template <class Element>
struct Guarded {
  Guarded(oracle::Numbers& numbers, std::size_t offset, std::size_t size)
      : all(numbers.vector<Element>(offset + size + guard)), before(all), offset_(offset), size_(size) {}

  weir::HostView<Element> view() { return {all.data() + offset_, size_}; }
  weir::HostView<Element const> constant() const { return {all.data() + offset_, size_}; }
  Element& expected(std::size_t i) { return before[offset_ + i]; }
  Element const& expected(std::size_t i) const { return before[offset_ + i]; }
  bool is_as_expected() const { return oracle::same(all, before); }

  std::vector<Element> all;
  std::vector<Element> before;  // becomes what is expected

 private:
  std::size_t offset_;
  std::size_t size_;
};

template <class Check>
void for_offsets_and_lengths(Check const& check) {
  std::size_t failures = 0;
  std::string first;
  for (std::size_t offset = 0; offset < 32; ++offset) {
    for (std::size_t length = 0; length < 130; ++length) {
      if (check(offset, length)) continue;
      if (failures++ == 0) first = "offset " + std::to_string(offset) + ", length " + std::to_string(length);
    }
  }
  CHECK_MESSAGE(failures == 0, failures << " failures, first at " << first);
}

template <class From, class To>
void check_copy(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(1);
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    Guarded<From> from(numbers, offset, length);
    Guarded<To> to(numbers, 31 - offset, length);
    for (std::size_t i = 0; i < length; ++i) {
      if constexpr (sizeof(To) == 2 && sizeof(From) == 2) {
        to.expected(i) = To(static_cast<float>(from.expected(i)));
      } else {
        to.expected(i) = static_cast<To>(from.expected(i));
      }
    }
    copy(executor, from.constant(), to.view());
    executor.synchronize();
    return from.is_as_expected() && to.is_as_expected();
  });
}

template <class Element, class Real>
void check_sums(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(2);
  using Term = weir::WeightedTerm<Element, HostSpace>;
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    std::vector<Guarded<Element>> inputs;
    std::vector<Term> terms;
    std::size_t const count = 1 + length % 7;
    for (std::size_t term = 0; term < count; ++term)
      inputs.emplace_back(numbers, (offset + 5 * term) % 32, length);
    for (auto const& input : inputs)
      terms.push_back({input.constant(), numbers.bits() % 3 == 0 ? 1.0 : numbers.number()});
    Guarded<Real> out(numbers, 31 - offset, length), sum(numbers, offset, length);
    Real const factor = static_cast<Real>(numbers.number());
    for (std::size_t i = 0; i < length; ++i) {
      auto const product = [&](std::size_t term) {
        return oracle::times(static_cast<Real>(terms[term].weight),
                             static_cast<Real>(inputs[term].expected(i)));
      };
      out.expected(i) = product(0);
      for (std::size_t term = 1; term < count; ++term)
        out.expected(i) = oracle::plus(out.expected(i), product(term));
      sum.expected(i) =
          oracle::plus(sum.expected(i), oracle::times(factor, static_cast<Real>(inputs[0].expected(i))));
    }
    sum_weighted(executor, std::span<Term const>(terms), out.view());
    add_scaled(executor, inputs[0].constant(), factor, sum.view());
    executor.synchronize();
    for (auto const& input : inputs) {
      if (!input.is_as_expected()) return false;
    }
    return out.is_as_expected() && sum.is_as_expected();
  });
}

template <class Real>
void check_sgd(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(3);
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    bool const in_place = length % 2 == 0, has_velocity = length % 3 != 0;
    weir::SgdConstants const constants{
        .momentum = 0.9, .weight_decay = length % 5 == 0 ? 0.0 : 0.01, .nesterov = offset % 2 == 0};
    weir::OptimizerState const state{.learning_rate = 0.1};
    weir::GradientControl const control{.factor = 0.3};
    weir::GradientScale const scale{.value = 1.0 / 3, .control = offset % 3 == 0 ? nullptr : &control};
    oracle::Sgd<Real> const reference{static_cast<Real>(offset % 3 == 0 ? 1.0 / 3 : 1.0 / 3 * 0.3),
                                      Real(0.1),
                                      Real(0.9),
                                      static_cast<Real>(constants.weight_decay),
                                      constants.nesterov,
                                      has_velocity};
    Guarded<Real> weights(numbers, offset, length), other(numbers, 3, length),
        gradient(numbers, 31 - offset, length);
    Guarded<Real> velocity(numbers, 7, has_velocity ? length : 0);
    Guarded<Real>& out = in_place ? weights : other;
    Real nothing = 0;
    for (std::size_t i = 0; i < length; ++i) {
      reference(weights.expected(i), out.expected(i), gradient.expected(i),
                has_velocity ? velocity.expected(i) : nothing);
    }
    sgd_update(executor, weights.constant(), out.view(), gradient.constant(), velocity.view(), constants,
               &state, scale);
    executor.synchronize();
    return weights.is_as_expected() && other.is_as_expected() && gradient.is_as_expected() &&
           velocity.is_as_expected();
  });
}

template <class Real>
void check_adamw(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(4);
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    weir::AdamConstants const constants{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = 0.05};
    weir::OptimizerState const state{
        .learning_rate = 0.01, .step = 3, .beta1_power = 0.729, .beta2_power = 0.970299};
    oracle::AdamW<Real> const reference{Real(0.25),
                                        Real(0.01),
                                        Real(0.9),
                                        Real(0.99),
                                        Real(1 - 0.9),
                                        Real(1 - 0.99),
                                        Real(1 / (1 - 0.729)),
                                        Real(1 / (1 - 0.970299)),
                                        Real(1e-6),
                                        Real(0.05)};
    Guarded<Real> weights(numbers, offset, length), other(numbers, 3, length),
        gradient(numbers, 31 - offset, length);
    Guarded<Real> first(numbers, 7, length), second(numbers, 9, length);
    for (auto* all : {&second.all, &second.before}) {
      for (Real& value : *all) value = std::abs(value);
    }
    Guarded<Real>& out = length % 2 == 0 ? weights : other;
    for (std::size_t i = 0; i < length; ++i) {
      reference(weights.expected(i), out.expected(i), gradient.expected(i), first.expected(i),
                second.expected(i));
    }
    adamw_update(executor, weights.constant(), out.view(), gradient.constant(), first.view(), second.view(),
                 constants, &state, {.value = 0.25});
    executor.synchronize();
    return weights.is_as_expected() && other.is_as_expected() && gradient.is_as_expected() &&
           first.is_as_expected() && second.is_as_expected();
  });
}

template <class Element>
void check_measure(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(5);
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    Guarded<Element> in(numbers, offset, length);
    float const special[] = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
    for (std::size_t i = offset; i < length; i += 11) in.view()[i] = Element(special[i % 3]);
    auto const reference = oracle::measure(std::vector<Element>(in.view().begin(), in.view().end()));
    weir::Measurement measurement{7, 7};
    measure(executor, in.constant(), &measurement);
    executor.synchronize();
    return measurement.non_finite == reference.non_finite &&
           oracle::same(measurement.sum_of_squares, reference.sum_of_squares);
  });
}

template <class Element>
void check_fill(weir::HostExecutor const& executor) {
  oracle::Numbers numbers(6);
  for_offsets_and_lengths([&](std::size_t offset, std::size_t length) {
    Guarded<Element> filled(numbers, offset, length), cleared(numbers, offset, length);
    for (std::size_t i = 0; i < length; ++i) {
      filled.expected(i) = Element(-1.5f);
      cleared.expected(i) = Element(0.0f);
    }
    fill(executor, filled.view(), Element(-1.5f));
    set_zero(executor, cleared.view());
    executor.synchronize();
    return filled.is_as_expected() && cleared.is_as_expected();
  });
}

}  // namespace

TEST_CASE("every verb gives the bits of a plain loop, at any offset and length, and touches nothing else") {
  weir::HostExecutor const executor;
  SUBCASE("copy to float") {
    check_copy<float, float>(executor);
    check_copy<double, float>(executor);
    check_copy<half, float>(executor);
    check_copy<bfloat16, float>(executor);
  }
  SUBCASE("copy to double") {
    check_copy<float, double>(executor);
    check_copy<half, double>(executor);
    check_copy<bfloat16, double>(executor);
  }
  SUBCASE("copy to 16 bits") {
    check_copy<float, half>(executor);
    check_copy<float, bfloat16>(executor);
    check_copy<bfloat16, half>(executor);
    check_copy<half, bfloat16>(executor);
    check_copy<half, half>(executor);
  }
  SUBCASE("sums in float") {
    check_sums<float, float>(executor);
    check_sums<half, float>(executor);
    check_sums<bfloat16, float>(executor);
  }
  SUBCASE("sums in double") {
    check_sums<double, double>(executor);
    check_sums<float, double>(executor);
    check_sums<bfloat16, double>(executor);
  }
  SUBCASE("sgd_update") {
    check_sgd<float>(executor);
    check_sgd<double>(executor);
  }
  SUBCASE("adamw_update") {
    check_adamw<float>(executor);
    check_adamw<double>(executor);
  }
  SUBCASE("measure") {
    check_measure<float>(executor);
    check_measure<double>(executor);
    check_measure<half>(executor);
    check_measure<bfloat16>(executor);
  }
  SUBCASE("fill and set_zero") {
    check_fill<float>(executor);
    check_fill<double>(executor);
    check_fill<half>(executor);
    check_fill<bfloat16>(executor);
  }
}

TEST_CASE("all verbs give the same bits with 1, 2, 3 and 8 threads, and the bits that other builds gave") {
  for (std::size_t threads : {1u, 2u, 3u, 8u}) {
    CAPTURE(threads);
    weir::HostExecutor const executor{{.threads = threads}};
    CHECK(hash_of_verbs(executor, 1000) == verb_hash_of_1000);
    CHECK(hash_of_verbs(executor, 700'001) == verb_hash_of_700001);
  }
}

TEST_CASE(
    "a clamped sum is measured as it is written, and the scale of its bound is read when the work runs") {
  using Term = weir::WeightedTerm<float, HostSpace>;
  weir::HostExecutor const executor;
  std::vector<float> a{1, -1, 3, -8, 0.5f}, b{0.5f, -1, 1, 0, 0}, out(5);
  std::vector<Term> const terms{{view(std::as_const(a)), 1.0}, {view(std::as_const(b)), 1.0}};
  weir::GradientControl control;
  weir::Measurement measurement;
  executor.submit([&](weir::HostExecutor const&) { control.factor = 0.5; });
  sum_weighted(executor, std::span<Term const>(terms), view(out),
               {.measurement = &measurement, .clamp = {.most = 1.0, .scale = {1.0, &control}}});
  executor.synchronize();
  CHECK(out == std::vector<float>{1.5f, -2, 2, -2, 0.5f});
  CHECK(measurement.sum_of_squares == 14.5);
  // Without a measurement, in one of the terms.
  sum_weighted(executor, std::span<Term const>(terms), view(a), {.clamp = {.most = 3.0}});
  executor.synchronize();
  CHECK(a == std::vector<float>{1.5f, -2, 3, -3, 0.5f});
}

TEST_CASE("a measured sum equals the sum and then its measurement, at any number of threads") {
  using Term = weir::WeightedTerm<float, HostSpace>;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4097}, std::size_t{3'000'001}}) {
    oracle::Numbers numbers(8);
    auto a = numbers.vector<float>(size), b = numbers.vector<float>(size), apart = a, fused = a;
    if (size > 1) b[size / 2] = std::numeric_limits<float>::infinity();
    weir::Measurement composed, in_the_same_pass;
    for (std::size_t threads : {1u, 3u}) {
      weir::HostExecutor const executor{{.threads = threads}};
      std::vector<Term> const terms{{view(a.data(), size), 0.3}, {view(b.data(), size), 1.0}};
      sum_weighted(executor, std::span<Term const>(terms), view(apart));
      measure(executor, view(apart), &composed);
      sum_weighted(executor, std::span<Term const>(terms), view(fused), {.measurement = &in_the_same_pass});
      executor.synchronize();
      CHECK(oracle::same(apart, fused));
      CHECK(composed.sum_of_squares == in_the_same_pass.sum_of_squares);
      CHECK(composed.non_finite == in_the_same_pass.non_finite);
      auto const reference = oracle::measure(apart);
      CHECK(composed.sum_of_squares == reference.sum_of_squares);
      CHECK(composed.non_finite == (size > 1 ? 1u : 0u));
    }
  }
}

TEST_CASE("the sum may be taken in any of its terms") {
  using Term = weir::WeightedTerm<float, HostSpace>;
  weir::HostExecutor const executor{{.threads = 2}};
  std::size_t const size = 100'003;
  for (std::size_t count : {1u, 2u, 5u, 9u}) {
    for (std::size_t place = 0; place < count; ++place) {
      oracle::Numbers numbers(count);
      std::vector<std::vector<float>> inputs;
      std::vector<Term> terms;
      for (std::size_t term = 0; term < count; ++term) inputs.push_back(numbers.vector<float>(size));
      for (auto const& input : inputs) terms.push_back({view(input.data(), size), numbers.number()});
      std::vector<float> apart(size);
      sum_weighted(executor, std::span<Term const>(terms), view(apart));
      sum_weighted(executor, std::span<Term const>(terms), view(inputs[place]));
      executor.synchronize();
      CHECK(oracle::same(inputs[place], apart));
    }
  }
}

TEST_CASE("a thousand additions of 0.001 to a bfloat16 stall at 0.5, their sum in float does not") {
  weir::HostExecutor const executor;
  bfloat16 const small(1e-3f);
  bfloat16 narrow(0.0f);
  float wide = 0;
  for (int i = 0; i < 1000; ++i) {
    narrow = bfloat16(static_cast<float>(narrow) + static_cast<float>(small));
    add_scaled(executor, view(&small, 1), 1.0f, view(&wide, 1));
  }
  executor.synchronize();
  CHECK(static_cast<float>(narrow) == 0.5f);
  CHECK(wide == doctest::Approx(1000 * static_cast<double>(static_cast<float>(small))).epsilon(1e-5));
}

TEST_CASE("a half is rounded once on its way from double") {
  weir::HostExecutor const executor;
  // Just above the middle of 1 and the half after it: as a float it is the middle, which would go down to 1.
  std::vector<double> const from{1 + 0x1p-11 + 0x1p-40,  -1 - 0x1p-11 - 0x1p-40, 1 + 0x1p-11, 1e300, -1e300,
                                 0x1p-24 * 1.5 + 0x1p-70};
  std::vector<half> to(from.size());
  copy(executor, view(from), view(to));
  executor.synchronize();
  CHECK(static_cast<float>(to[0]) == 1 + 0x1p-10f);
  CHECK(static_cast<float>(to[1]) == -1 - 0x1p-10f);
  CHECK(static_cast<float>(to[2]) == 1.0f);
  CHECK(static_cast<float>(to[3]) == std::numeric_limits<float>::infinity());
  CHECK(static_cast<float>(to[4]) == -std::numeric_limits<float>::infinity());
  CHECK(static_cast<float>(to[5]) == 0x1p-23f);
}

TEST_CASE("a skipped update only hands the weights on, and whether it is skipped is read when it runs") {
  weir::HostExecutor const executor;
  for (std::size_t size : {std::size_t{5}, std::size_t{300'000}}) {
    std::vector<double> const weights(size, 2.0), gradient(size, std::numeric_limits<double>::quiet_NaN());
    std::vector<double> out(size), other(size), velocity(size, 3.0), first(size, 4.0), second(size, 5.0),
        in_place(weights);
    weir::OptimizerState const state{.learning_rate = 1.0, .beta1_power = 0.9, .beta2_power = 0.9};
    weir::GradientControl control;
    executor.submit([&] { control.skip = 1; });
    sgd_update(executor, view(weights), view(out), view(gradient), view(velocity), {.momentum = 0.9}, &state,
               {1.0, &control});
    adamw_update(executor, view(weights), view(other), view(gradient), view(first), view(second), {}, &state,
                 {1.0, &control});
    sgd_update(executor, view(in_place), view(in_place), view(gradient), {}, {}, &state, {1.0, &control});
    executor.synchronize();
    CHECK(out == weights);
    CHECK(other == weights);
    CHECK(in_place == weights);
    CHECK(velocity == std::vector<double>(size, 3.0));
    CHECK(first == std::vector<double>(size, 4.0));
    CHECK(second == std::vector<double>(size, 5.0));
  }
}

TEST_CASE("the learning rate is read when the update runs") {
  weir::HostExecutor const executor;
  std::vector<float> weights{1.0f};
  std::vector<float> const gradient{1.0f};
  weir::OptimizerState state{.next_learning_rate = 0.5};
  apply_scalars(executor, weir::AdvanceOptimizer{&state, 0.9, 0.999, nullptr});
  sgd_update(executor, view(weights), view(weights), view(gradient), {}, {}, &state, {});
  executor.synchronize();
  CHECK(state.step == 1);
  CHECK(weights[0] == 0.5f);
}

TEST_CASE("bytes go to the host and back") {
  weir::HostExecutor const executor{{.threads = 2}};
  for (std::size_t bytes : {std::size_t{0}, std::size_t{3}, std::size_t{1'000'003}}) {
    std::vector<unsigned char> from(bytes), there(bytes), back(bytes);
    for (std::size_t i = 0; i < bytes; ++i) from[i] = static_cast<unsigned char>(i * 7 + i / 256);
    copy_to_host(executor, from.data(), there.data(), bytes);
    copy_from_host(executor, there.data(), back.data(), bytes);
    executor.synchronize();
    CHECK(back == from);
  }
}

TEST_CASE("views of different sizes are refused at the call, with the verb and both sizes named") {
  weir::HostExecutor const executor;
  std::vector<float> five(5), six(6), empty;
  std::vector<weir::WeightedTerm<float, HostSpace>> const terms{{view(five.data(), 5), 1.0}};
  std::span<weir::WeightedTerm<float, HostSpace> const> const span(terms);
  weir::OptimizerState const state;
  auto const refuses = [](auto const& call, std::string const& verb) {
    std::string text = "nothing was thrown";
    try {
      call();
    } catch (weir::ContractViolation const& violation) {
      text = violation.what();
    }
    CHECK_MESSAGE(text.starts_with(verb + ": "), text);
    CHECK_MESSAGE(text.find('5') != std::string::npos, text);
    CHECK_MESSAGE(text.find('6') != std::string::npos, text);
  };
  std::vector<float> a(5), b(5), c(5);
  refuses([&] { copy(executor, view(five), view(six)); }, "copy");
  refuses([&] { add_scaled(executor, view(five), 1.0f, view(six)); }, "add_scaled");
  refuses([&] { sum_weighted(executor, span, view(six)); }, "sum_weighted");
  refuses([&] { sgd_update(executor, view(five), view(six), view(a), {}, {}, &state, {}); }, "sgd_update");
  refuses([&] { sgd_update(executor, view(five), view(a), view(six), {}, {}, &state, {}); }, "sgd_update");
  refuses([&] { sgd_update(executor, view(five), view(a), view(b), view(six), {}, &state, {}); },
          "sgd_update");
  refuses([&] { adamw_update(executor, view(five), view(six), view(a), view(b), view(c), {}, &state, {}); },
          "adamw_update");
  refuses(
      [&] { adamw_update(executor, view(five), view(five), view(six), view(b), view(c), {}, &state, {}); },
      "adamw_update");
  refuses(
      [&] { adamw_update(executor, view(five), view(five), view(a), view(six), view(c), {}, &state, {}); },
      "adamw_update");
  refuses(
      [&] { adamw_update(executor, view(five), view(five), view(a), view(b), view(six), {}, &state, {}); },
      "adamw_update");
}

TEST_CASE("missing arguments are refused at the call") {
  weir::HostExecutor const executor;
  std::vector<float> a(5), b(5), c(5), d(5);
  CHECK_THROWS_AS(sum_weighted(executor, std::span<weir::WeightedTerm<float, HostSpace> const>(), view(a)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(measure(executor, view(a), nullptr), weir::ContractViolation);
  CHECK_THROWS_AS(sgd_update(executor, view(a), view(a), view(b), {}, {}, nullptr, {}),
                  weir::ContractViolation);
  CHECK_THROWS_AS(adamw_update(executor, view(a), view(a), view(b), view(c), view(d), {}, nullptr, {}),
                  weir::ContractViolation);
}

TEST_CASE("views with memory in common are refused where they are not the same elements, pair by pair") {
  weir::HostExecutor const executor;
  std::vector<float> memory(100), other(10), third(10), fourth(10);
  auto const here = view(memory.data(), 10), beside = view(memory.data() + 1, 10),
             after = view(memory.data() + 10, 10);
  auto const b = view(other), c = view(third), d = view(fourth);
  weir::OptimizerState const state{.beta1_power = 0.5, .beta2_power = 0.5};
  using Term = weir::WeightedTerm<float, HostSpace>;
  auto const refuses = [](auto const& call) { CHECK_THROWS_AS(call(), weir::ContractViolation); };
  auto const sgd = [&](auto weights, auto out, auto gradient, auto velocity) {
    sgd_update(executor, weights, out, gradient, velocity, {}, &state, {});
  };
  auto const adamw = [&](auto weights, auto out, auto gradient, auto first, auto second) {
    adamw_update(executor, weights, out, gradient, first, second, {}, &state, {});
  };

  refuses([&] { copy(executor, here, beside); });
  refuses([&] { copy(executor, view(reinterpret_cast<bfloat16 const*>(memory.data()), 10), here); });
  refuses([&] { add_scaled(executor, beside, 1.0f, here); });
  Term const terms[] = {{here, 1.0}, {beside, 1.0}};
  refuses([&] { sum_weighted(executor, std::span<Term const>(terms), here); });
  refuses([&] { sgd(here, beside, b, c); });
  refuses([&] { sgd(here, b, b, c); });
  refuses([&] { sgd(here, b, beside, b); });
  refuses([&] { sgd(here, b, c, here); });
  refuses([&] { sgd(here, b, c, c); });
  refuses([&] { adamw(here, beside, b, c, d); });
  refuses([&] { adamw(here, b, b, c, d); });
  refuses([&] { adamw(here, here, b, c, c); });
  refuses([&] { adamw(here, here, b, here, c); });
  refuses([&] { adamw(here, here, b, c, here); });
  refuses([&] { adamw(here, d, b, c, d); });
  refuses([&] { adamw(here, here, b, b, c); });

  CHECK_NOTHROW(copy(executor, here, here));
  CHECK_NOTHROW(copy(executor, here, after));
  CHECK_NOTHROW(add_scaled(executor, here, 1.0f, here));
  CHECK_NOTHROW(sum_weighted(executor, std::span<Term const>(terms), after.part(1, 10)));
  CHECK_NOTHROW(sgd(here, here, b, c));
  CHECK_NOTHROW(sgd(here, after, here, b));
  CHECK_NOTHROW(adamw(here, here, b, c, d));
  executor.synchronize();
}

TEST_CASE("verbs take effect in the order of the calls, also on the handle that a task is given") {
  weir::HostExecutor const executor{{.threads = 2}};
  std::vector<float> values(200'000);
  fill(executor, view(values), 1.0f);
  executor.submit(
      [&](weir::HostExecutor const& point) { add_scaled(point, view(values), 1.0f, view(values)); });
  add_scaled(executor, view(values), 2.0f, view(values));
  executor.synchronize();
  CHECK(values == std::vector<float>(values.size(), 6.0f));
}
