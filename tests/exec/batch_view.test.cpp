#include "weir/exec/batch_view.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <type_traits>

namespace {

static_assert(std::is_trivially_copyable_v<weir::BatchView<float, weir::HostSpace>>);
static_assert(std::is_convertible_v<weir::BatchView<float, weir::HostSpace>,
                                    weir::BatchView<float const, weir::HostSpace>>);
static_assert(!std::is_convertible_v<weir::BatchView<float const, weir::HostSpace>,
                                     weir::BatchView<float, weir::HostSpace>>);

TEST_CASE("both orders name the same elements") {
  int numbers[40];
  for (int i = 0; i < 40; ++i) numbers[i] = i;
  auto const by_sample = weir::batch_major(numbers, 4, 3, 5);
  auto const by_feature = weir::feature_major(numbers, 4, 3, 6);
  CHECK(by_sample(2, 1) == 11);
  CHECK(by_feature(2, 1) == 8);
  CHECK(by_sample.extent() == 18);
  CHECK(by_feature.extent() == 16);
  CHECK(weir::batch_major(numbers, 0, 3).extent() == 0);
  CHECK(weir::batch_major(numbers, 4, 3).stride == 3);
  CHECK(weir::feature_major(numbers, 4, 3).stride == 4);
}

TEST_CASE("parts of samples and of features are batches") {
  int numbers[40];
  for (int i = 0; i < 40; ++i) numbers[i] = i;
  for (auto const& batch : {weir::batch_major(numbers, 4, 3, 5), weir::feature_major(numbers, 4, 3, 6)}) {
    auto const samples = batch.part_of_samples(1, 2);
    auto const features = batch.part_of_features(1, 2);
    CHECK(samples.samples == 2);
    CHECK(features.features == 2);
    CHECK(&samples(1, 2) == &batch(2, 2));
    CHECK(&features(3, 1) == &batch(3, 2));
  }
}

}  // namespace
