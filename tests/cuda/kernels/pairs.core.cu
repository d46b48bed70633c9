#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "weir/cuda/kernels/pairs.cuh"

using namespace weir::detail;

namespace {

template <class Operation>
void run(Operation const& operation, std::size_t threads) {
  for (std::size_t thread = threads; thread-- > 0;) run_places(operation, thread, threads);
}

}  // namespace

TEST_CASE("pairs are added, gathered, cleared and taken, as many as there are and there is room for") {
  for (std::size_t const threads : {1u, 3u, 100u}) {
    std::vector<float> vector = {1, 2, 3, 4};
    std::vector<std::uint32_t> const indices = {3, 0, 99};
    std::vector<float> values = {0.5f, 0.25f, 7.0f};
    std::uint64_t const two = 2, many = 9;
    WholeVector<float> const whole{vector.data()};
    run(
        PairOperation<PairAction::add, WholeVector<float>, std::uint32_t, float const>{
            whole, indices.data(), values.data(), &two, 3},
        threads);
    CHECK(vector == std::vector<float>{1.25f, 2, 3, 4.5f});
    run(PairOperation<PairAction::gather, WholeVector<float>, std::uint32_t, float>{whole, indices.data(),
                                                                                    values.data(), &many, 1},
        threads);
    CHECK(values == std::vector<float>{4.5f, 0.25f, 7.0f});
    std::uint32_t const side = 1;
    std::vector<float> other = {9, 9, 9, 9};
    weir::TwoSidedView<float, weir::DeviceSpace> const sides(other.data(), vector.data(), 4, &side);
    run(
        PairOperation<PairAction::take, ValidSide<float>, std::uint32_t, float>{
            {sides}, indices.data(), values.data(), &two, 3},
        threads);
    CHECK(values == std::vector<float>{4.5f, 1.25f, 7.0f});
    CHECK(vector == std::vector<float>{0, 2, 3, 0});
    std::vector<float> const finite_and_not = {std::numeric_limits<float>::quiet_NaN(), -0.5f, 7.0f};
    run(
        PairOperation<PairAction::add_finite, ValidSide<float>, std::uint32_t, float const>{
            {sides}, indices.data(), finite_and_not.data(), &two, 3},
        threads);
    CHECK(vector == std::vector<float>{-0.5f, 2, 3, 0});
    run(
        PairOperation<PairAction::zero, WholeVector<float>, std::uint32_t, float>{
            {other.data()}, indices.data(), nullptr, &two, 3},
        threads);
    CHECK(other == std::vector<float>{0, 9, 9, 0});
  }
}

TEST_CASE("the valid side is copied, replaced, cleared and taken") {
  std::vector<float> first = {1, 2, 3}, second = {4, 5, 6}, out(3);
  std::uint32_t const side = 0;
  weir::TwoSidedView<float, weir::DeviceSpace> const sides(first.data(), second.data(), 3, &side);
  run(SideOperation<SideAction::copy_out, float>{sides, out.data(), nullptr}, 2);
  CHECK(out == std::vector<float>{1, 2, 3});
  run(SideOperation<SideAction::copy_in, float>{sides, nullptr, second.data()}, 2);
  CHECK(first == second);
  run(SideOperation<SideAction::take, float>{sides, out.data(), nullptr}, 2);
  CHECK(out == second);
  CHECK(first == std::vector<float>{0, 0, 0});
  first[1] = 8;
  run(SideOperation<SideAction::zero, float>{sides, nullptr, nullptr}, 2);
  CHECK(first == std::vector<float>{0, 0, 0});
  CHECK(second == std::vector<float>{4, 5, 6});
}
