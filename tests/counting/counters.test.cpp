#include "counting/counters.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "weir/host/executor.hpp"

#if !(UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER)
namespace {

/// The function of the C library that has a name which is taken here. To look for one that is not there would
/// take memory.
class Next {
 public:
  constexpr explicit Next(char const* name, char const* version = nullptr) : name_(name), version_(version) {}

  template <class Function>
  Function as() {
    void* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = version_ != nullptr ? dlvsym(RTLD_NEXT, name_, version_) : dlsym(RTLD_NEXT, name_);
      function_ = function;
    }
    return reinterpret_cast<Function>(function);
  }

 private:
  char const* name_;
  char const* version_;
  std::atomic<void*> function_ = nullptr;
};

#if defined(__x86_64__)
constexpr char const* condition_version = "GLIBC_2.3.2";  // dlsym would find an older form
#else
constexpr char const* condition_version = nullptr;
#endif

}  // namespace

// NOLINTBEGIN: the names are those of glibc
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  ++counters::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++counters::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  ++counters::allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++counters::allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  ++counters::allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? 12 : 0;
}
int pthread_create(pthread_t* thread, pthread_attr_t const* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  ++counters::threads_started;
  static constinit Next next{"pthread_create"};
  return next.as<decltype(&pthread_create)>()(thread, attributes, start, argument);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  ++counters::blocking_calls;
  static constinit Next next{"pthread_cond_wait", condition_version};
  return next.as<decltype(&pthread_cond_wait)>()(condition, mutex);
}
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, timespec const* end) {
  ++counters::blocking_calls;
  static constinit Next next{"pthread_cond_timedwait", condition_version};
  return next.as<decltype(&pthread_cond_timedwait)>()(condition, mutex, end);
}
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           timespec const* end) {
  ++counters::blocking_calls;
  static constinit Next next{"pthread_cond_clockwait"};
  return next.as<decltype(&pthread_cond_clockwait)>()(condition, mutex, clock, end);
}
int pthread_join(pthread_t thread, void** result) {
  ++counters::blocking_calls;
  static constinit Next next{"pthread_join"};
  return next.as<decltype(&pthread_join)>()(thread, result);
}
int sem_wait(sem_t* semaphore) {
  ++counters::blocking_calls;
  static constinit Next next{"sem_wait"};
  return next.as<decltype(&sem_wait)>()(semaphore);
}
int sem_timedwait(sem_t* semaphore, timespec const* end) {
  ++counters::blocking_calls;
  static constinit Next next{"sem_timedwait"};
  return next.as<decltype(&sem_timedwait)>()(semaphore, end);
}
int sem_clockwait(sem_t* semaphore, clockid_t clock, timespec const* end) {
  ++counters::blocking_calls;
  static constinit Next next{"sem_clockwait"};
  return next.as<decltype(&sem_clockwait)>()(semaphore, clock, end);
}
int nanosleep(timespec const* time, timespec* left) {
  ++counters::blocking_calls;
  static constinit Next next{"nanosleep"};
  return next.as<decltype(&nanosleep)>()(time, left);
}
int clock_nanosleep(clockid_t clock, int flags, timespec const* time, timespec* left) {
  ++counters::blocking_calls;
  static constinit Next next{"clock_nanosleep"};
  return next.as<decltype(&clock_nanosleep)>()(clock, flags, time, left);
}
int sched_yield() noexcept {
  ++counters::blocking_calls;
  static constinit Next next{"sched_yield"};
  return next.as<decltype(&sched_yield)>()();
}
/// Where the waiting of std::atomic ends.
long syscall(long number, ...) noexcept {
  std::va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  auto const operation = arguments[1] & FUTEX_CMD_MASK;
  if (number == SYS_futex && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET))
    ++counters::blocking_calls;
  static constinit Next next{"syscall"};
  return next.as<decltype(&syscall)>()(number, arguments[0], arguments[1], arguments[2], arguments[3],
                                       arguments[4], arguments[5]);
}
}
// NOLINTEND
#else
#include "counting/counting_new.hpp"
#endif

TEST_CASE("allocations are counted" * doctest::skip(UNDER_THREAD_SANITIZER)) {
  std::size_t const before = counters::allocations;
  std::vector<int> const some(100);
  int const* const volatile seen = some.data();  // what nobody sees the compiler may leave out
  CHECK(seen != nullptr);
  CHECK(counters::allocations > before);
}

TEST_CASE("threads are counted" * doctest::skip(counters::under_sanitizer)) {
  std::size_t const before = counters::threads_started;
  weir::HostExecutor const executor;
  CHECK(counters::threads_started == before + 1);
}

TEST_CASE("every way to wait is counted, on the thread that waits" *
          doctest::skip(counters::under_sanitizer)) {
  using namespace std::chrono_literals;
  auto const count = [](auto const& wait) {
    std::size_t const before = counters::blocking_calls;
    wait();
    return counters::blocking_calls - before;
  };
  /// Does `f` after a time on another thread.
  auto const later = [](std::chrono::milliseconds delay, auto const& f) {
    return std::thread([f, delay] {
      std::this_thread::sleep_for(delay);
      f();
    });
  };
  /// Whether what counts the calls of a wait sees any, if what is waited for comes late enough: who is held
  /// up before it waits may find it there.
  auto const is_seen = [](auto const& calls_after) {
    for (std::chrono::milliseconds delay = 20ms; delay < 2s; delay *= 4) {
      if (calls_after(delay) > 0) return true;
    }
    return false;
  };
  CHECK(count([] { std::this_thread::sleep_for(1us); }) == 1);
  CHECK(count([] { std::this_thread::yield(); }) == 1);
  std::thread sleeper = later(20ms, [] {});
  CHECK(count([&] { sleeper.join(); }) == 1);

  CHECK(is_seen([&](std::chrono::milliseconds delay) {
    std::atomic<int> number = 0;
    std::thread notifier = later(delay, [&] {
      number = 1;
      number.notify_all();
    });
    auto const calls = count([&] { number.wait(0); });
    notifier.join();
    return calls;
  }));

  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  CHECK(count([&] { condition.wait_for(lock, 1us); }) == 1);
  CHECK(count([&] { condition.wait_until(lock, std::chrono::system_clock::now() + 1us); }) == 1);
  CHECK(is_seen([&](std::chrono::milliseconds delay) {
    bool is_open = false;
    std::thread opener = later(delay, [&] {
      std::lock_guard const guard(mutex);
      is_open = true;
      condition.notify_all();
    });
    auto const calls = count([&] { condition.wait(lock, [&] { return is_open; }); });
    lock.unlock();
    opener.join();
    lock.lock();
    return calls;
  }));
  lock.unlock();

  sem_t semaphore;
  sem_init(&semaphore, 0, 2);
  timespec const past = {};
  CHECK(count([&] { sem_wait(&semaphore); }) == 1);
  CHECK(count([&] { sem_timedwait(&semaphore, &past); }) == 1);
  sem_destroy(&semaphore);

  weir::HostExecutor const executor;
  CHECK(is_seen([&](std::chrono::milliseconds delay) {
    executor.submit([delay] { std::this_thread::sleep_for(delay); });
    CHECK(count([&] { executor.submit([] {}); }) == 0);
    return count([&] { executor.synchronize(); });
  }));
}
