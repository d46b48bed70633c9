#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "counting/counters.hpp"

// Counts in `operator new`, which this replaces: included by one unit of a program.
#if !UNDER_THREAD_SANITIZER  // clang's has one that cannot be replaced
void* operator new(std::size_t size) {
  ++counters::allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++counters::allocations;
  auto const unit = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
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
#endif
