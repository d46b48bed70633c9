#include "weir/interop/eigen.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/tensor/concepts.hpp"
#include "weir/workers/gradients.hpp"

namespace {

using Strided = Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>>;
using EverySecond = Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>>;

static_assert(weir::Tensor<Eigen::MatrixXf>);
static_assert(weir::Tensor<Eigen::VectorXd>);
static_assert(weir::Tensor<Eigen::ArrayXXf>);
static_assert(weir::Tensor<Eigen::Matrix<float, 3, 4, Eigen::RowMajor>>);
static_assert(weir::Tensor<Eigen::Map<Eigen::MatrixXf>>);
static_assert(weir::Tensor<Eigen::Map<Eigen::ArrayXf const>>);
static_assert(weir::Tensor<Eigen::Map<Eigen::VectorXf, 0, Eigen::OuterStride<>>>);
static_assert(weir::Tensor<Eigen::Ref<Eigen::VectorXf>>);
static_assert(!weir::Tensor<Strided>);
static_assert(!weir::Tensor<EverySecond>);
static_assert(!weir::Tensor<Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>>>);
static_assert(!weir::Tensor<Eigen::Ref<Eigen::MatrixXf>>);
static_assert(!weir::Tensor<Eigen::Block<Eigen::MatrixXf>>);

template <class T>
using HostView = weir::TensorView<T, weir::HostSpace>;

}  // namespace

TEST_CASE("a view of a matrix or an array is its own memory, in the order in which Eigen stores it") {
  Eigen::MatrixXf by_columns(2, 3);
  by_columns << 1, 2, 3, 4, 5, 6;
  auto const columns = weir::view(by_columns);
  static_assert(std::is_same_v<decltype(columns), HostView<float> const>);
  CHECK(columns.data() == by_columns.data());
  REQUIRE(columns.size() == 6);
  CHECK(columns[1] == 4.0f);

  Eigen::Array<double, 2, 3, Eigen::RowMajor> by_rows;
  by_rows << 1, 2, 3, 4, 5, 6;
  auto const rows = weir::view(by_rows);
  REQUIRE(rows.size() == 6);
  CHECK(rows[1] == 2.0);
  rows[1] = 7.0;
  CHECK(by_rows(0, 1) == 7.0);
}

TEST_CASE("a view of a constant matrix has constant elements") {
  Eigen::VectorXf const vector = Eigen::VectorXf::Constant(4, 2.0f);
  auto const view = weir::view(vector);
  static_assert(std::is_same_v<decltype(view), HostView<float const> const>);
  CHECK(view.size() == 4);
  CHECK(view[3] == 2.0f);
}

TEST_CASE("a map is viewed where it points to, also as a temporary") {
  std::vector<float> memory(12, 1.0f);
  Eigen::Map<Eigen::MatrixXf> map(memory.data(), 3, 4);
  CHECK(weir::view(map).data() == memory.data());
  CHECK(weir::view(map).size() == 12);

  auto const tail = weir::view(Eigen::Map<Eigen::VectorXf>(memory.data() + 8, 4));
  CHECK(tail.data() == memory.data() + 8);
  CHECK(tail.size() == 4);

  auto const constant = weir::view(Eigen::Map<Eigen::VectorXf const>(memory.data(), 5));
  static_assert(std::is_same_v<decltype(constant), HostView<float const> const>);
  CHECK(constant.size() == 5);
}

TEST_CASE("a reference to a vector is viewed where it points to") {
  Eigen::VectorXf vector = Eigen::VectorXf::LinSpaced(6, 0.0f, 5.0f);
  Eigen::Ref<Eigen::VectorXf> part = vector.segment(2, 3);
  auto const view = weir::view(part);
  CHECK(view.data() == vector.data() + 2);
  CHECK(view.size() == 3);
}

TEST_CASE("an empty matrix gives an empty view") {
  Eigen::MatrixXf nothing(0, 5);
  CHECK(weir::view(nothing).empty());
}

TEST_CASE("a recipe updates a list of Eigen weights from Eigen gradients") {
  Eigen::MatrixXf matrix = Eigen::MatrixXf::Constant(3, 2, 1.0f);
  Eigen::VectorXf bias = Eigen::VectorXf::Constant(3, 1.0f);
  Eigen::VectorXf gradient = Eigen::VectorXf::LinSpaced(9, 0.0f, 8.0f);

  weir::HostExecutor exec;
  weir::Gradients source{exec, weir::BucketPlan::by_bytes({6 * sizeof(float), 3 * sizeof(float)}),
                         std::vector{weir::view(gradient)}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}};
  auto sync = recipe.on(source, std::vector{weir::view(matrix), weir::view(bias)});
  std::size_t const samples[] = {4};
  sync(source(samples));
  sync.wait();

  Eigen::MatrixXf expected_matrix(3, 2);
  expected_matrix << 1, -2, 0, -3, -1, -4;
  CHECK(matrix == expected_matrix);
  CHECK(bias == Eigen::Vector3f(-5, -6, -7));
}
