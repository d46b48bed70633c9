#pragma once

// Which sanitizer this is compiled for: UNDER_ADDRESS_SANITIZER and UNDER_THREAD_SANITIZER, 0 or 1.
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER 1
#endif
#endif
#if !defined(UNDER_ADDRESS_SANITIZER)
#define UNDER_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif
#if !defined(UNDER_THREAD_SANITIZER)
#define UNDER_THREAD_SANITIZER 0
#endif
