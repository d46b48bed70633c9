#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <new>

/// Counts what is taken from it and given back, and fails at the call that it was told to.
class CountingResource final : public std::pmr::memory_resource {
 public:
  std::size_t bytes() const { return bytes_; }
  std::size_t peak() const { return peak_; }
  std::size_t calls() const { return calls_; }

  /// The `call`-th allocation from now on fails, counted from 1, and all that follow if `for_good`; 0: none.
  void fail_at(std::size_t call, bool for_good = false) {
    fail_at_ = call == 0 ? 0 : calls_ + call;
    for_good_ = for_good;
  }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    std::lock_guard const lock(mutex_);
    ++calls_;
    if (fail_at_ != 0 && (calls_ == fail_at_ || (for_good_ && calls_ > fail_at_))) throw std::bad_alloc();
    void* const memory = std::pmr::new_delete_resource()->allocate(bytes, alignment);
    bytes_ += bytes;
    peak_ = std::max(peak_, bytes_);
    return memory;
  }

  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    std::lock_guard const lock(mutex_);
    bytes_ -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }

  bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override { return this == &other; }

  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::size_t peak_ = 0;
  std::size_t calls_ = 0;
  std::size_t fail_at_ = 0;
  bool for_good_ = false;
};
