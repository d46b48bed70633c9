#include "weir/mpi/member.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "comm/collective_cases.hpp"
#include "weir/host/executor.hpp"

using weir::detail::MpiMember;

namespace {

/// What `MpiCommunicator` is, over messages of at most 1,000 bytes.
class ShortMessages {
 public:
  std::size_t rank() const { return member_->rank(); }
  std::size_t size() const { return member_->size(); }

  template <class E, class T>
  void all_reduce(E const&, weir::TensorView<T, weir::HostSpace> data,
                  weir::ReduceOp op = weir::ReduceOp::sum) const {
    member_->all_reduce(data.data(), data.size(), op);
  }
  template <class E, class T>
  void all_gather(E const&, weir::TensorView<T, weir::HostSpace> block,
                  weir::TensorView<T, weir::HostSpace> all) const {
    member_->all_gather(static_cast<T const*>(block.data()), block.size(), all.data());
  }
  template <class E, class T>
  void reduce_scatter(E const&, weir::TensorView<T, weir::HostSpace> all,
                      weir::TensorView<T, weir::HostSpace> part, weir::ReduceOp op = weir::ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    weir::detail::PartBoundaries const parts(boundaries, all.size(), size());
    member_->reduce_scatter(static_cast<T const*>(all.data()), all.size(), part.data(), op, parts);
  }
  template <class E, class T>
  void broadcast(E const&, weir::TensorView<T, weir::HostSpace> data, std::size_t root) const {
    member_->broadcast(data.data(), data.size(), root);
  }
  template <class E>
  void exchange(E const&, std::span<weir::Transfer<weir::HostSpace> const> transfers) const {
    member_->exchange(transfers);
  }

 private:
  static MPI_Comm duplicate() {
    MPI_Comm result = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &result);
    MPI_Comm_set_errhandler(result, MPI_ERRORS_RETURN);
    return result;
  }

  std::shared_ptr<MpiMember> member_ = std::make_shared<MpiMember>(
      duplicate(), duplicate(), weir::CommOptions{}, std::make_shared<std::mutex>(), 1'000);
};

}  // namespace

TEST_CASE("all collectives give the same over messages that are cut into pieces") {
  weir::HostExecutor const executor;
  ShortMessages const communicator;
  // In bytes of float: one piece less an element, one, one and an element, many, and more than 8 KiB.
  for (std::size_t const count : {249u, 250u, 251u, 500u, 1'777u, 20'001u}) {
    collective_cases::all_of_type<float>(communicator, executor, count);
    collective_cases::all_of_type<weir::bfloat16>(communicator, executor, count);
    collective_cases::everything(communicator, executor, 3, count);
  }
  collective_cases::all_types(communicator, executor, 2'500);
  collective_cases::operators_combine(communicator, executor);
}

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
