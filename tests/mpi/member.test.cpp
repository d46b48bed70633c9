#include "weir/mpi/member.hpp"

#include <doctest/doctest.h>

#include <vector>

using weir::detail::MpiMember;

TEST_CASE("scratch memory is bounded, whatever the size of the data") {
  MPI_Comm data = MPI_COMM_NULL;
  MPI_Comm notices = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &data);
  MPI_Comm_dup(MPI_COMM_WORLD, &notices);
  MpiMember member(data, notices, {}, std::make_shared<std::mutex>());
  CHECK(member.scratch_bytes(0) >= 8'192 * member.size());
  CHECK(member.scratch_bytes(std::size_t{1} << 40) <= 4'194'304 + 8'192 * member.size());

  std::vector<float> values(5'000'000, 1.0F);
  member.all_reduce(values.data(), values.size(), weir::ReduceOp::sum);
  CHECK(values == std::vector<float>(values.size(), static_cast<float>(member.size())));
  member.meet(weir::CommOperation::split);
  CHECK(member.is_idle());
}
