#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "weir/cuda/event.hpp"
#include "weir/cuda/stream.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// Brings device memory through host memory in chunks: while one is worked on by the host, the next is on its
/// way down, and the one before on its way back.
///
/// Two streams of its own copy, so that both directions are used at once. One thread at a time.
template <v1::MemorySource Source>
class StagingPipeline {
 public:
  StagingPipeline(int device, Source const& source, std::size_t slot_bytes)
      : device_(device),
        source_(source),
        down_(device),
        up_(device),
        begun_(device),
        slots_{Slot(device, source, slot_bytes), Slot(device, source, slot_bytes),
               Slot(device, source, slot_bytes)} {}

  StagingPipeline(StagingPipeline const&) = delete;
  StagingPipeline& operator=(StagingPipeline const&) = delete;

  ~StagingPipeline() {
    try {
      DeviceGuard const guard(device_);
      cudaStreamSynchronize(down_.handle());
      cudaStreamSynchronize(up_.handle());
    } catch (CudaError const&) {  // the driver is gone, and has nothing under way
    }
  }

  int device() const { return device_; }

  /// Makes the slots larger where they are smaller. Waits for copies under way. Errors: `OutOfMemory`, with
  /// nothing changed.
  void grow(std::size_t slot_bytes) {
    if (slot_bytes <= slots_[0].memory.size()) return;
    Memory larger[] = {Memory(source_, slot_bytes), Memory(source_, slot_bytes), Memory(source_, slot_bytes)};
    check_cuda(cudaStreamSynchronize(up_.handle()), "cudaStreamSynchronize");
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].memory = std::move(larger[i]);
  }

  /// For each chunk in turn: `load(chunk, slot, stream)` enqueues copies into the slot's memory, `work(chunk,
  /// slot)` is called on this thread when they have ended, `store(chunk, slot, stream)` enqueues copies back.
  /// `stream` goes on when all of it has ended; its device is current.
  template <class Load, class Work, class Store>
  void run(cudaStream_t stream, std::size_t chunks, Load const& load, Work const& work, Store const& store) {
    if (chunks == 0) return;
    check_cuda(cudaEventRecord(begun_.handle(), stream), "cudaEventRecord");
    wait(down_.handle(), begun_);
    wait(up_.handle(), begun_);
    begin_load(0, load);
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      if (chunk + 1 < chunks) begin_load(chunk + 1, load);
      Slot& slot = slots_[chunk % slots_.size()];
      check_cuda(cudaEventSynchronize(slot.loaded.handle()), "cudaEventSynchronize");
      work(chunk, slot.memory.data());
      store(chunk, static_cast<std::byte const*>(slot.memory.data()), up_.handle());
      check_cuda(cudaEventRecord(slot.stored.handle(), up_.handle()), "cudaEventRecord");
    }
    wait(stream, slots_[(chunks - 1) % slots_.size()].stored);
  }

 private:
  using Memory = Buffer<std::byte, Source>;

  struct Slot {
    Slot(int device, Source const& source, std::size_t bytes)
        : loaded(device), stored(device), memory(source, bytes) {}

    CudaEvent loaded;
    CudaEvent stored;
    Memory memory;
  };

  static void wait(cudaStream_t stream, CudaEvent const& event) {
    check_cuda(cudaStreamWaitEvent(stream, event.handle(), 0), "cudaStreamWaitEvent");
  }

  template <class Load>
  void begin_load(std::size_t chunk, Load const& load) {
    Slot& slot = slots_[chunk % slots_.size()];
    wait(down_.handle(), slot.stored);  // of the chunk that was there before
    load(chunk, slot.memory.data(), down_.handle());
    check_cuda(cudaEventRecord(slot.loaded.handle(), down_.handle()), "cudaEventRecord");
  }

  int device_;
  Source source_;
  CudaStream down_;
  CudaStream up_;
  CudaEvent begun_;
  std::array<Slot, 3> slots_;
};

}  // namespace weir::inline v1::detail
