#pragma once

#include <atomic>
#include <cstddef>

#include "fault/sanitizers.hpp"

/// What counters.test.cpp counts in this program: it replaces the functions of the C library, which stand
/// below everything else. Under a sanitizer these belong to the sanitizer, which tells of allocations only.
namespace counters {

inline constexpr bool under_sanitizer = UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER;

inline std::atomic<std::size_t> allocations = 0;
inline std::atomic<std::size_t> threads_started = 0;

/// Of the thread that asks: how often it has waited for another, gone to sleep, or given way. A lock that is
/// held for a moment is not counted.
inline constinit thread_local std::size_t blocking_calls = 0;

}  // namespace counters
