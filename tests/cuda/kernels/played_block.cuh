#pragma once

// A block of threads of a kernel on the host: what `DeviceBlock` is on a device. Threads take turns, and
// which one goes on is drawn by chance, so that what a barrier is missing from shows. What is copied
// asynchronously arrives as late as it may, and until then there are no numbers in its place.

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "weir/core/convert.hpp"
#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/random.hpp"

namespace play {

class Threads {
 public:
  /// Runs `body(thread)` on all threads of a block until they have ended.
  void run(unsigned threads, std::uint64_t seed, std::function<void(unsigned)> body) {
    body_ = std::move(body);
    states_.assign(threads, State::ready);
    while (fibers_.size() < threads) fibers_.push_back(std::make_unique<Fiber>());
    slots_.assign(threads, {});
    for (unsigned i = 0; i < threads; ++i) {
      Fiber& fiber = *fibers_[i];
      fiber.groups.clear();
      fiber.open.clear();
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.get();
      fiber.context.uc_stack.ss_size = stack_bytes;
      fiber.context.uc_link = &home_;
      auto const self = reinterpret_cast<std::uintptr_t>(this);
      makecontext(&fiber.context, reinterpret_cast<void (*)()>(&Threads::enter), 2,
                  static_cast<unsigned>(self >> 32), static_cast<unsigned>(self & 0xffff'ffffu));
    }
    std::uint32_t draws = 0;
    while (true) {
      std::vector<unsigned> ready;
      for (unsigned i = 0; i < threads; ++i) {
        if (states_[i] == State::ready) ready.push_back(i);
      }
      if (ready.empty() && !release_block()) break;
      // In any order, each until it waits.
      for (std::size_t left = ready.size(); left > 0; --left) {
        std::size_t const drawn = weir::philox({{draws++, 0, 0, 0}}, seed)[0] % left;
        current_ = ready[drawn];
        ready[drawn] = ready[left - 1];
        swapcontext(&home_, &fibers_[current_]->context);
      }
    }
    for (State const state : states_) {
      if (state != State::ended) throw std::logic_error("a block has come to a standstill");
    }
  }

  void sync() { wait(State::at_block); }

  bool any(bool is_true) {
    any_ = any_ || is_true;
    wait(State::at_block);
    bool const result = any_;
    wait(State::at_block);
    any_ = false;
    wait(State::at_block);
    return result;
  }

  /// What the threads of the warp have brought, once all have: `put` first, then everybody's slots.
  template <class Number>
  std::vector<Number> gather(Number const& own) {
    static_assert(sizeof(Number) <= sizeof(Slot));
    std::memcpy(&slots_[current_], &own, sizeof(own));
    wait_for_warp();
    std::vector<Number> all(32);
    for (unsigned lane = 0; lane < 32; ++lane)
      std::memcpy(&all[lane], &slots_[current_ / 32 * 32 + lane], sizeof(Number));
    wait_for_warp();
    return all;
  }

  void copy_async(void* to, void const* from, unsigned bytes) {
    auto const address = [](void const* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
    if (address(to) % 16 != 0 || address(from) % 16 != 0 || bytes > 16)
      throw std::logic_error("an asynchronous copy is not of 16 aligned bytes");
    std::memset(to, 0xff, 16);
    fibers_[current_]->open.push_back({to, from, bytes});
  }
  void close() {
    fibers_[current_]->groups.push_back(std::move(fibers_[current_]->open));
    fibers_[current_]->open.clear();
  }
  void await_all_but(std::size_t count) {
    auto& groups = fibers_[current_]->groups;
    while (groups.size() > count) {
      for (Copy const& copy : groups.front()) {
        std::memset(copy.to, 0, 16);
        std::memcpy(copy.to, copy.from, copy.bytes);
      }
      groups.pop_front();
    }
  }

 private:
  enum class State : std::uint8_t { ready, at_block, at_warp, ended };
  struct Copy {
    void* to;
    void const* from;
    unsigned bytes;
  };
  struct Slot {
    alignas(16) unsigned char bytes[64];
  };
  static constexpr std::size_t stack_bytes = std::size_t{64} << 10;
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[stack_bytes]};
    std::deque<std::vector<Copy>> groups;
    std::vector<Copy> open;
  };

  static void enter(unsigned high, unsigned low) {
    auto* const self = reinterpret_cast<Threads*>(std::uintptr_t{high} << 32 | low);
    self->body_(self->current_);
    self->states_[self->current_] = State::ended;
  }

  void wait(State state) {
    unsigned const self = current_;
    states_[self] = state;
    swapcontext(&fibers_[self]->context, &home_);
  }
  void wait_for_warp() {
    unsigned const begin = current_ / 32 * 32;
    states_[current_] = State::at_warp;
    for (unsigned i = begin; i < begin + 32; ++i) {
      if (states_[i] != State::at_warp) {
        wait(State::at_warp);
        return;
      }
    }
    for (unsigned i = begin; i < begin + 32; ++i) states_[i] = State::ready;
    wait(State::ready);
  }
  bool release_block() {
    bool is_any = false;
    for (State& state : states_) {
      if (state != State::at_block) continue;
      state = State::ready;
      is_any = true;
    }
    return is_any;
  }

  std::function<void(unsigned)> body_;
  std::vector<State> states_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Slot> slots_;
  ucontext_t home_ = {};
  unsigned current_ = 0;
  bool any_ = false;
};

/// The block as one of its threads sees it. (Host code, but called from what is for both.) The products are
/// those of the instruction set's manual.
class PlayedThread {
 public:
  WEIR_HOST_DEVICE PlayedThread(Threads* all, unsigned index, unsigned thread, unsigned threads)
      : all_(all), index_(index), thread_(thread), threads_(threads) {}

  WEIR_HOST_DEVICE unsigned thread() const { return thread_; }
  WEIR_HOST_DEVICE unsigned threads() const { return threads_; }
  WEIR_HOST_DEVICE unsigned index() const { return index_; }

  WEIR_HOST_DEVICE void sync() const {
#if !defined(__CUDA_ARCH__)
    all_->sync();
#endif
  }
  WEIR_HOST_DEVICE bool any(bool is_true) const {
#if !defined(__CUDA_ARCH__)
    return all_->any(is_true);
#else
    return is_true;
#endif
  }
  template <class Real>
  WEIR_HOST_DEVICE Real exchange(Real value, [[maybe_unused]] unsigned mask) const {
#if !defined(__CUDA_ARCH__)
    return all_->gather(value)[(thread_ ^ mask) % 32];
#else
    return value;
#endif
  }
  WEIR_HOST_DEVICE void copy_async([[maybe_unused]] void* to, [[maybe_unused]] void const* from,
                                   [[maybe_unused]] unsigned bytes) const {
#if !defined(__CUDA_ARCH__)
    all_->copy_async(to, from, bytes);
#endif
  }
  WEIR_HOST_DEVICE void close() const {
#if !defined(__CUDA_ARCH__)
    all_->close();
#endif
  }
  template <int Count>
  WEIR_HOST_DEVICE void await_all_but() const {
#if !defined(__CUDA_ARCH__)
    all_->await_all_but(Count);
#endif
  }
  template <bool IsTransposed>
  WEIR_HOST_DEVICE void load_matrices([[maybe_unused]] void const* row,
                                      [[maybe_unused]] std::uint32_t (&to)[4]) const {
#if !defined(__CUDA_ARCH__)
    auto const rows = all_->gather(row);
    unsigned const lane = thread_ % 32;
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
      std::uint16_t halves[2];
      for (unsigned i = 0; i < 2; ++i) {
        unsigned const down = IsTransposed ? 2 * (lane % 4) + i : lane / 4;
        unsigned const across = IsTransposed ? lane / 4 : 2 * (lane % 4) + i;
        std::memcpy(&halves[i], static_cast<std::uint16_t const*>(rows[8 * matrix + down]) + across, 2);
      }
      to[matrix] = halves[0] | std::uint32_t{halves[1]} << 16;
    }
#endif
  }
  template <class Element>
  WEIR_HOST_DEVICE void multiply([[maybe_unused]] std::uint32_t const (&left)[4],
                                 [[maybe_unused]] std::uint32_t const (&right)[2],
                                 [[maybe_unused]] float (&sum)[4], Element const*) const {
#if !defined(__CUDA_ARCH__)
    struct Registers {
      std::uint32_t left[4];
      std::uint32_t right[2];
    };
    Registers own;
    std::memcpy(own.left, left, sizeof(left));
    std::memcpy(own.right, right, sizeof(right));
    auto const all = all_->gather(own);
    auto const number = [](std::uint32_t word, unsigned i) {
      return static_cast<double>(
          static_cast<float>(Element::from_bits(static_cast<std::uint16_t>(word >> (16 * i)))));
    };
    unsigned const lane = thread_ % 32;
    for (unsigned i = 0; i < 4; ++i) {
      unsigned const row = lane / 4 + (i < 2 ? 0 : 8);
      unsigned const column = lane % 4 * 2 + (i & 1);
      double total = static_cast<double>(sum[i]);
      for (unsigned k = 0; k < 16; ++k) {
        // Of A register (row >= 8) + 2 (k >= 8), of B register k >= 8; lane and half by k % 8.
        auto const& of_a = all[row % 8 * 4 + k % 8 / 2];
        auto const& of_b = all[column * 4 + k % 8 / 2];
        total += number(of_a.left[row / 8 + 2 * (k / 8)], k % 2) * number(of_b.right[k / 8], k % 2);
      }
      sum[i] = static_cast<float>(total);
    }
#endif
  }

 private:
  Threads* all_;
  unsigned index_;
  unsigned thread_;
  unsigned threads_;
};

/// All blocks of an operation, one after another, with shared memory that holds no numbers at first.
template <class Operation>
void blocks(Operation const& operation, unsigned threads, std::size_t shared_bytes) {
  static Threads all;
  std::vector<uint4> memory(shared_bytes / sizeof(uint4) + 1);
  for (std::size_t index = 0; index < operation.blocks(); ++index) {
    std::memset(memory.data(), 0xff, memory.size() * sizeof(uint4));
    all.run(threads, index + 1, [&](unsigned thread) {
      operation.run(PlayedThread(&all, static_cast<unsigned>(index), thread, threads),
                    reinterpret_cast<unsigned char*>(memory.data()));
    });
  }
}

}  // namespace play
