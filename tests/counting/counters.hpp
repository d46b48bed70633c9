#pragma once

#include <atomic>
#include <cstddef>

#include "fault/sanitizers.hpp"

/// What counters.test.cpp counts in this program: it replaces the functions of the C library, which stand
/// below everything else. Under AddressSanitizer these belong to the sanitizer, and only
/// `operator new` is counted; under ThreadSanitizer nothing is.
namespace counters {

inline constexpr bool under_sanitizer = UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER;

inline std::atomic<std::size_t> allocations = 0;
inline std::atomic<std::size_t> threads_started = 0;

/// Of the thread that asks: how often it has waited for another, gone to sleep, or given way. A lock that is
/// held for a moment is not counted.
inline constinit thread_local std::size_t blocking_calls = 0;

}  // namespace counters
