#include "weir/comm/mesh.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "weir/comm/self.hpp"

using weir::HostExecutor;
using weir::Mesh;
using weir::ThreadCommunicator;
using weir::view;

TEST_CASE("ranks are numbered row by row, and an axis joins those that differ in it only") {
  on_all_thread_ranks(6, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    Mesh const mesh{communicator, {{"pipeline", 2}, {"data", 3}}};
    std::size_t const rank = communicator.rank();
    CHECK(mesh.coordinate("pipeline") == rank / 3);
    CHECK(mesh.coordinate("data") == rank % 3);
    CHECK(mesh.axis("pipeline").size() == 2);
    CHECK(mesh.axis("pipeline").rank() == rank / 3);
    CHECK(mesh.axis("data").size() == 3);
    CHECK(mesh.axis("data").rank() == rank % 3);
    std::array<std::uint64_t, 1> along_data{rank};
    std::array<std::uint64_t, 1> along_pipeline{rank};
    mesh.axis("data").all_reduce(executor, view(along_data));
    mesh.axis("pipeline").all_reduce(executor, view(along_pipeline));
    executor.synchronize();
    CHECK(along_data[0] == (rank < 3 ? 3 : 12));
    CHECK(along_pipeline[0] == 2 * (rank % 3) + 3);
  });
}

TEST_CASE("three axes make a grid") {
  on_all_thread_ranks(8, [](ThreadCommunicator const& communicator, HostExecutor const&) {
    Mesh const mesh{communicator, {{"a", 2}, {"b", 2}, {"c", 2}}};
    CHECK(communicator.rank() == 4 * mesh.coordinate("a") + 2 * mesh.coordinate("b") + mesh.coordinate("c"));
    CHECK(mesh.axis("b").rank() == mesh.coordinate("b"));
  });
}

TEST_CASE("a mesh that does not fit says what it is and what there is") {
  weir::SelfCommunicator const self;
  CHECK_NOTHROW(Mesh{self, {{"data", 1}}});
  CHECK_THROWS_WITH_AS((Mesh{self, {{"pipeline", 2}, {"data", 4}}}),
                       "mesh pipeline=2 x data=4 has 8 places, the communicator has 1 ranks",
                       weir::ContractViolation);
  CHECK_THROWS_AS((Mesh{self, {{"data", 0}}}), weir::ContractViolation);
  CHECK_THROWS_WITH_AS((Mesh{self, {{"data", 1}, {"data", 1}}}),
                       "mesh data=1 x data=1: two axes are called 'data'", weir::ContractViolation);
  CHECK_THROWS_WITH_AS((Mesh{self, {{"data", 1}}}.axis("model")), "mesh data=1 has no axis 'model'",
                       weir::ContractViolation);
}
