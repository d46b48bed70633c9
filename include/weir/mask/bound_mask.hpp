#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "weir/exec/concepts.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// A mask with its tables where the kernels of an executor can read them: a copy in the executor's memory,
/// or the mask's own on a host.
///
/// Streams: destroyed when no enqueued work uses it any more.
template <Executor E, Design D>
class BoundMask {
 public:
  BoundMask(E const& executor, BIBDMask<D> mask) : mask_(std::move(mask)), tables_(executor, table_bytes()) {
    if constexpr (!HostOrderedExecutor<E>) {
      std::vector<std::byte> staging(tables_.size());
      mask_.visit([&](auto const& layout) { layout.write_tables(staging.data()); });
      from_host(executor, std::span<std::byte const>(staging), tables_.view());
    }
  }

  BIBDMask<D> const& mask() const { return mask_; }

  /// Calls `visitor` with the layout.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    if constexpr (HostOrderedExecutor<E>) {
      return mask_.visit(std::forward<Visitor>(visitor));
    } else {
      return mask_.visit(
          [&](auto const& layout) -> decltype(auto) { return visitor(layout.with_tables(tables_.data())); });
    }
  }

 private:
  std::size_t table_bytes() const {
    if constexpr (HostOrderedExecutor<E>) {
      return 0;
    } else {
      return mask_.visit([](auto const& layout) { return layout.table_bytes(); });
    }
  }

  BIBDMask<D> mask_;
  Buffer<std::byte, E> tables_;
};

}  // namespace weir::inline v1
