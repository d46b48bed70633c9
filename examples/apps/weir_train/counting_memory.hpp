#pragma once

#include <atomic>
#include <cstddef>
#include <memory_resource>

namespace weir_train {

/// Operator new and delete, with the bytes that are held now and were held at most. From any thread.
class CountingMemory final : public std::pmr::memory_resource {
 public:
  std::size_t peak() const { return peak_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    void* const memory = std::pmr::new_delete_resource()->allocate(bytes, alignment);
    std::size_t const held = held_ += bytes;
    std::size_t peak = peak_;
    while (peak < held && !peak_.compare_exchange_weak(peak, held)) {
    }
    return memory;
  }

  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    held_ -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }

  bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override { return this == &other; }

  std::atomic<std::size_t> held_ = 0;
  std::atomic<std::size_t> peak_ = 0;
};

}  // namespace weir_train
