// Counts what a program takes from the heap by `new`.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/cuda/stand_in.hpp"

namespace stand_in {

namespace {
std::atomic<std::size_t> taken = 0;

void* take(std::size_t bytes, std::size_t alignment) {
  if (Inside::depth() == 0) taken.fetch_add(1, std::memory_order_relaxed);
  std::size_t const units = (bytes + alignment - 1) / alignment;
  if (void* const memory = std::aligned_alloc(alignment, (units == 0 ? 1 : units) * alignment)) return memory;
  throw std::bad_alloc();
}
}  // namespace

std::size_t heap_allocations() {
  return taken.load(std::memory_order_relaxed);
}

}  // namespace stand_in

void* operator new(std::size_t bytes) {
  return stand_in::take(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return stand_in::take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
