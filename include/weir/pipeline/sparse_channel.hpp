#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/core/error.hpp"
#include "weir/pipeline/edge_sparsifier.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// A way from one stage to another on which the largest elements of each tensor are sent: as pairs, or all of
/// a tensor where pairs would be no shorter. On a host.
///
/// A tensor that is not finite, by itself or with what is kept of it, comes as NaN, where a sparsifier skips
/// it. Samples that a micro-batch lacks count as zeros; what is kept of those in their places waits for a
/// micro-batch that has them.
template <Executor E, class Real>
class SparseChannel {
  using Space = typename E::memory_space;
  using Pairs = PairBlocks<Real, Space>;

 public:
  SparseChannel(EdgeSparsifier<E, Real> const& sparsifier, MessageLayout const& layout,
                std::size_t local_batch)
      : sparsifier_(sparsifier), local_batch_(local_batch) {
    for (std::size_t k = 0; k < layout.elements.size(); ++k) {
      if (layout.elements[k] == 0) continue;
      sizes_.push_back(layout.elements[k] * local_batch);
      tensors_.push_back({layout.elements[k], layout.offsets[k]});
    }
    std::vector<std::size_t> const capacity = selection().capacity(sizes_);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      Tensor& tensor = tensors_[k];
      tensor.packed = bytes_;
      std::size_t const as_pairs = Pairs::words(capacity[k]) * sizeof(std::uint64_t);
      bool const is_whole = capacity[k] == 0 || as_pairs >= sizes_[k] * sizeof(Real);
      tensor.capacity = is_whole ? 0 : capacity[k];
      tensor.bytes = is_whole ? words(sizes_[k] * sizeof(Real)) * sizeof(std::uint64_t) : as_pairs;
      bytes_ += tensor.bytes;
      if (!is_whole) selects_ = true;
    }
  }

  /// Of a packed message; at most those of the layout.
  std::size_t bytes() const { return bytes_; }

  /// Take the memory of either end.
  void open_sender(E const& executor) {
    if (selects_) selection().bind(executor, sizes_);
  }
  void open_receiver(E const& executor) { came_.emplace(executor, words(bytes_)); }

  /// What both ends have taken. Units: bytes.
  std::size_t workspace_bytes() const {
    auto const& selection = sparsifier_.selection();
    return (selection.is_bound() ? selection.workspace_bytes() : 0) +
           (came_.has_value() ? came_->size() * sizeof(std::uint64_t) : 0);
  }

  /// In place, from the front: what is packed of a tensor ends before the next one begins. `point`: where a
  /// task runs.
  void pack(std::byte* data, std::size_t samples, E const& point) {
    if (selects_) selection().begin(point, samples, local_batch_);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      Tensor const& tensor = tensors_[k];
      Real* const values = reinterpret_cast<Real*>(data + tensor.offset);
      std::size_t const due = tensor.of_sample * samples;
      for (std::size_t i = due; i < sizes_[k]; ++i) values[i] = 0;
      if (tensor.capacity == 0) {
        std::memmove(data + tensor.packed, values, sizes_[k] * sizeof(Real));
        continue;
      }
      auto const block = selection().select(point, {values, sizes_[k]}, due, k);
      Pairs const pairs(block, tensor.capacity, 1);
      PairHeader header = *pairs.header(0);
      if (is_zero(pairs) && selection().has_skipped(k)) header.count = not_finite;
      std::memcpy(data + tensor.packed, block.data(), tensor.bytes);
      std::memcpy(data + tensor.packed, &header, sizeof(header));
    }
    if (selects_) selection().end(point);
  }

  /// In place. Errors: `ContractViolation` that names the message, for pairs that cannot have been sent.
  void unpack(std::byte* data, MessageTag const& tag) {
    if (bytes_ == 0) return;
    std::memcpy(came_->data(), data, bytes_);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      Tensor const& tensor = tensors_[k];
      std::uint64_t* const packed = came_->data() + tensor.packed / sizeof(std::uint64_t);
      Real* const values = reinterpret_cast<Real*>(data + tensor.offset);
      if (tensor.capacity == 0) {
        std::memcpy(values, packed, sizes_[k] * sizeof(Real));
      } else {
        spread(Pairs({packed, tensor.bytes / sizeof(std::uint64_t)}, tensor.capacity, 1), values, sizes_[k],
               tag);
      }
    }
  }

  TensorSelection<E, Real>& selection() { return sparsifier_.selection(); }

 private:
  static constexpr std::uint64_t not_finite = UINT64_MAX;

  struct Tensor {
    std::size_t of_sample = 0;  // elements
    std::size_t offset = 0;     // as it is; bytes
    std::size_t packed = 0;
    std::size_t bytes = 0;
    std::size_t capacity = 0;  // 0: sent whole
  };

  static constexpr std::size_t words(std::size_t bytes) {
    return (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  }

  static bool is_zero(Pairs const& pairs) {
    auto const values = pairs.values(0);
    for (std::size_t i = 0; i < pairs.header(0)->count; ++i) {
      if (values[i] != 0) return false;
    }
    return true;
  }

  static void spread(Pairs const& pairs, Real* values, std::size_t size, MessageTag const& tag) {
    std::uint64_t const count = pairs.header(0)->count;
    Real const rest = count == not_finite ? std::numeric_limits<Real>::quiet_NaN() : Real(0);
    for (std::size_t i = 0; i < size; ++i) values[i] = rest;
    if (count == not_finite) return;
    if (count > pairs.capacity())
      refuse(tag, std::to_string(count) + " pairs, at most " + std::to_string(pairs.capacity()) + " can be");
    auto const indices = pairs.indices(0);
    auto const sent = pairs.values(0);
    for (std::size_t i = 0; i < count; ++i) {
      if (indices[i] >= size)
        refuse(tag,
               "element " + std::to_string(indices[i]) + " of a tensor that has " + std::to_string(size));
      values[indices[i]] = sent[i];
    }
  }

  [[noreturn]] static void refuse(MessageTag const& tag, std::string const& what) {
    throw ContractViolation(v1::text(tag) + " came with " + what + ": it was damaged on its way");
  }

  EdgeSparsifier<E, Real> sparsifier_;
  std::size_t local_batch_;
  std::vector<std::size_t> sizes_;  // elements of each tensor of a full micro-batch
  std::vector<Tensor> tensors_;
  std::size_t bytes_ = 0;
  bool selects_ = false;
  std::optional<Buffer<std::uint64_t, E>> came_;  // the receiver's
};

}  // namespace weir::inline v1::detail
