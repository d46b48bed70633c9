#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/kernels/update_case.hpp"
#include "support/cuda/on_device.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/kernels/update_launch.cuh"
#include "weir/cuda/vocabulary.hpp"

// Updates of many tensors on the device, against plain loops and against one verb after another.

namespace {

using Device = weir::DeviceSpace;

/// A case in device memory.
template <class Real, class Element>
class CaseOnDevice {
 public:
  CaseOnDevice(UpdateCase<Real, Element> const& all, UpdateSettings const& settings)
      : case_(all),
        settings_(settings),
        weights_(device_, all.weights),
        out_(device_, all.out),
        first_(device_, all.first),
        second_(device_, all.second),
        copies_(device_, all.copies),
        used_(device_, all.used),
        state_(device_, std::vector{update_state()}),
        control_(device_, std::vector{settings.control}),
        chunks_(device_, all.chunks(weights_.view().data(), to())),
        pointers_(device_, all.copy_pointers(copies_.view().data())) {
    for (auto const& gradient : all.gradients) gradients_.emplace_back(device_, gradient);
  }

  /// In one launch.
  void update(weir::SgdConstants const& constants, bool has_velocity) {
    auto const terms = this->terms();
    sgd_update_pieces(device_, list(), std::span<weir::WeightedTerm<Element, Device> const>(terms),
                      has_velocity ? bucket(first_) : weir::DeviceView<Real>(), constants, state(), scale());
  }
  void update(weir::AdamConstants const& constants, bool) {
    auto const terms = this->terms();
    adamw_update_pieces(device_, list(), std::span<weir::WeightedTerm<Element, Device> const>(terms),
                        bucket(first_), bucket(second_), constants, state(), scale());
  }

  /// By the sum, then a verb for each parameter and for each copy.
  template <class Constants>
  void update_one_by_one(Constants const& constants, bool has_velocity) {
    OnDevice<Real> const gradient(device_, std::vector<Real>(case_.elements));
    auto const terms = this->terms();
    sum_weighted(device_, std::span<weir::WeightedTerm<Element, Device> const>(terms), gradient.view());
    for (std::size_t parameter = 0; parameter < case_.parameters(); ++parameter) {
      auto const& [from, unused, size, offset, number] = case_.piece(parameter);
      auto const part = [&, o = offset, s = size](weir::DeviceView<Real> all) { return all.part(o, s); };
      weir::DeviceView<Real> const weights(weights_.view().data() + case_.weights_offset() + offset, size);
      weir::DeviceView<Real> const to(this->to() + case_.weights_offset() + offset, size);
      bool const is_used = !settings_.with_used || case_.used[parameter] != 0;
      if (is_used) {
        if constexpr (std::is_same_v<Constants, weir::SgdConstants>) {
          sgd_update(device_, weights, to, part(gradient.view()),
                     has_velocity ? part(bucket(first_)) : weir::DeviceView<Real>(), constants, state(),
                     scale());
        } else {
          adamw_update(device_, weights, to, part(gradient.view()), part(bucket(first_)),
                       part(bucket(second_)), constants, state(), scale());
        }
      } else {
        copy(device_, weights, to);
      }
      if (!settings_.with_copies) continue;
      auto* const narrow = copies_.view().data() + case_.copies_offset() + offset;
      if (settings_.copy_type == weir::ElementType::float16) {
        copy(device_, to, weir::DeviceView<weir::half>(reinterpret_cast<weir::half*>(narrow), size));
      } else {
        copy(device_, to, weir::DeviceView<weir::bfloat16>(reinterpret_cast<weir::bfloat16*>(narrow), size));
      }
    }
  }

  void check(UpdateCase<Real, Element> const& expected) const {
    CHECK(oracle::same(weights_.content(), expected.weights));
    CHECK(oracle::same(out_.content(), expected.out));
    CHECK(oracle::same(first_.content(), expected.first));
    CHECK(oracle::same(second_.content(), expected.second));
    CHECK(copies_.content() == expected.copies);
  }

 private:
  Real* to() const { return settings_.in_place ? weights_.view().data() : out_.view().data(); }
  weir::OptimizerState const* state() const { return state_.view().data(); }
  weir::GradientScale scale() const { return {0.5, control_.view().data()}; }
  weir::DeviceView<Real> bucket(OnDevice<Real> const& all) const {
    return all.view().part(case_.bucket_offset(), case_.elements);
  }
  std::vector<weir::WeightedTerm<Element, Device>> terms() const {
    std::vector<Element const*> begins;
    for (auto const& gradient : gradients_) begins.push_back(gradient.view().data());
    return case_.template terms<Device>(begins);
  }
  weir::UpdateList<Real> list() const {
    weir::UpdateList<Real> list{chunks_.view().data(), chunks_.view().size(), case_.elements};
    if (settings_.with_used) list.used = used_.view().data();
    if (settings_.with_copies) list.copies = {pointers_.view().data(), settings_.copy_type};
    return list;
  }

  weir::CudaExecutor device_;
  UpdateCase<Real, Element> const& case_;
  UpdateSettings settings_;
  OnDevice<Real> weights_, out_, first_, second_;
  OnDevice<std::uint16_t> copies_;
  OnDevice<std::uint32_t> used_;
  OnDevice<weir::OptimizerState> state_;
  OnDevice<weir::GradientControl> control_;
  OnDevice<weir::UpdateChunk<Real>> chunks_;
  OnDevice<void*> pointers_;
  std::vector<OnDevice<Element>> gradients_;
};

std::vector<std::size_t> const sizes = {1, 0, 300, 3, 64, 25'000, 17, 16, 5, 2048};

template <class Real, class Element>
void check(auto const& constants, bool has_velocity, std::size_t terms, UpdatePhases const& phases,
           UpdateSettings const& settings, std::vector<std::size_t> const& all_sizes = sizes) {
  CAPTURE(terms);
  CAPTURE(phases.bucket);
  CAPTURE(phases.weights);
  UpdateCase<Real, Element> const start(all_sizes, terms, phases, 5);
  UpdateCase<Real, Element> expected = start;
  update_by_hand(expected, settings, constants, has_velocity);
  CaseOnDevice<Real, Element> found(start, settings);
  found.update(constants, has_velocity);
  found.check(expected);
}

weir::SgdConstants const sgd{.momentum = 0.9, .weight_decay = 0.01, .nesterov = true};
weir::AdamConstants const adamw{};

}  // namespace

TEST_CASE("any number of terms of any type is summed, applied and copied with the bits of plain loops") {
  for (std::size_t terms = 1; terms <= weir::most_update_terms; ++terms) {
    check<float, float>(sgd, true, terms, {}, {.with_copies = true});
    check<float, float>(adamw, true, terms, {}, {});
    check<float, weir::half>(sgd, true, terms, {},
                             {.with_copies = true, .copy_type = weir::ElementType::float16});
    check<float, weir::bfloat16>(adamw, true, terms, {}, {.with_copies = true});
    check<double, double>(sgd, true, terms, {}, {});
    check<double, double>(adamw, true, terms, {}, {.in_place = false});
  }
  check<float, float>(weir::SgdConstants{}, false, 2, {}, {.with_copies = true});
}

TEST_CASE("the arrays may begin anywhere") {
  for (std::size_t bucket : {0u, 1u, 2u, 3u}) {
    for (std::size_t weights : {0u, 1u, 3u}) {
      UpdatePhases const phases{bucket, weights, (bucket + weights) % 4};
      check<float, float>(sgd, true, 2, phases, {.with_copies = true});
      check<float, weir::bfloat16>(adamw, true, 3, phases, {.in_place = false, .with_copies = true});
    }
  }
}

TEST_CASE("a skipped step and unused parameters keep their bits, and the copies follow the weights") {
  for (bool in_place : {false, true}) {
    check<float, float>(sgd, true, 2, {},
                        {.in_place = in_place, .with_copies = true, .control = {.skip = 1}});
    check<float, float>(adamw, true, 2, {}, {.in_place = in_place, .with_used = true, .with_copies = true});
    check<float, float>(sgd, true, 1, {.bucket = 1},
                        {.in_place = in_place, .with_used = true, .control = {.factor = 0.25}});
  }
}

TEST_CASE("one launch has the bits of one verb after another on the same device") {
  for (std::size_t terms : {1u, 4u, 8u}) {
    auto const compare = [&](auto const& constants) {
      for (bool with_used : {false, true}) {
        UpdateSettings const settings{.in_place = with_used,
                                      .with_used = with_used,
                                      .with_copies = true,
                                      .copy_type = weir::ElementType::float16};
        UpdateCase<float, float> const start(sizes, terms, {}, 6);
        UpdateCase<float, float> expected = start;
        update_by_hand(expected, settings, constants, true);
        CaseOnDevice<float, float> together(start, settings), apart(start, settings);
        together.update(constants, true);
        apart.update_one_by_one(constants, true);
        together.check(expected);
        apart.check(expected);
      }
    };
    compare(sgd);
    compare(adamw);
  }
}

TEST_CASE("a thousand tensors of very different sizes") {
  std::vector<std::size_t> many;
  for (std::size_t i = 0; i < 1000; ++i) many.push_back(i % 50 == 0 ? case_size(200'003, 5003) : i % 97);
  check<float, float>(adamw, true, 1, {}, {.with_copies = true}, many);
  check<float, weir::bfloat16>(sgd, true, 4, {}, {.with_used = true}, many);
}

TEST_CASE("too many terms, and terms of another size than the bucket, are refused") {
  weir::CudaExecutor const device;
  OnDevice const memory(device, std::vector<float>(100));
  OnDevice const state(device, std::vector<weir::OptimizerState>(1));
  weir::UpdateList<float> const list{.elements = 10};
  std::vector<weir::WeightedTerm<float, Device>> terms(9, {memory.view().part(0, 10)});
  auto const update = [&](std::size_t count) {
    sgd_update_pieces(device, list, std::span<weir::WeightedTerm<float, Device> const>(terms.data(), count),
                      {}, {}, state.view().data(), {});
  };
  CHECK_NOTHROW(update(8));  // of no chunks
  CHECK_THROWS_WITH_AS(update(9), "sgd_update_pieces: there are 9 terms, 1 to 8 can be summed on the way",
                       weir::ContractViolation);
  CHECK_THROWS_AS(update(0), weir::ContractViolation);
  terms[1].values = memory.view().part(0, 11);
  CHECK_THROWS_AS(update(2), weir::ContractViolation);
}
