#pragma once

// A block with warpgroups on the host: what `DeviceWideBlock` is on a device. Operands are read in shared
// memory through their descriptors, by the layouts that the manual of the instruction set gives; what would
// be a race gives what is no number, or is an error.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cuda/kernels/played_block.cuh"

namespace play {

/// What tensor cores see of shared memory, and the products that are under way. A copy is seen once the
/// thread that began it has awaited and published it. A product reads its operands when it begins, and as
/// late as it may once more; its sums are no numbers until it is awaited.
class TensorCores {
 public:
  TensorCores(unsigned char const* memory, std::size_t bytes, unsigned threads)
      : memory_(memory), seen_(bytes, 0xff), threads_(threads), begun_(threads / 128) {
    if (threads % 128 != 0) throw std::logic_error("a block is not of whole warpgroups");
  }

  /// Shared memory begins at no address in particular.
  static constexpr unsigned first_address = 1024 + 7 * 16;
  unsigned address(void const* pointer) const {
    return first_address + static_cast<unsigned>(static_cast<unsigned char const*>(pointer) - memory_);
  }

  void begin_copy(unsigned thread, void const* to) {
    auto const at = static_cast<std::size_t>(static_cast<unsigned char const*>(to) - memory_);
    std::memset(&seen_[at], 0xff, 16);
    threads_[thread].open_copies.push_back(at);
  }
  void close_copies(unsigned thread) {
    threads_[thread].copies.push_back(std::move(threads_[thread].open_copies));
    threads_[thread].open_copies.clear();
  }
  void await_copies(unsigned thread, std::size_t left) {
    Thread& own = threads_[thread];
    for (; own.copies.size() > left; own.copies.pop_front())
      own.arrived.insert(own.arrived.end(), own.copies.front().begin(), own.copies.front().end());
  }
  void publish(unsigned thread) {
    for (std::size_t const at : threads_[thread].arrived) std::memcpy(&seen_[at], memory_ + at, 16);
    threads_[thread].arrived.clear();
  }

  void open_products(unsigned thread) { threads_[thread].is_open = true; }

  void begin_product(unsigned thread, std::uint64_t left, bool left_is_across, std::uint64_t right,
                     bool right_is_across, float (&sum)[64], float (*number)(std::uint16_t)) {
    Thread& own = threads_[thread];
    if (!own.is_open) throw std::logic_error("a group of products has not been opened");
    Product const product{thread % 128, left, right, left_is_across, right_is_across, sum, number, {}};
    auto& all = begun_[thread / 128];
    if (own.begun == all.size()) all.push_back(product);
    if (!all[own.begun++].is_same(product)) throw std::logic_error("threads of a warpgroup do not agree");
    if (own.sums.find(sum) == nullptr) {
      own.sums.all.push_back({sum, std::to_array(sum), 0});
      for (float& value : sum) value = std::bit_cast<float>(under_way);
    }
    ++own.sums.find(sum)->products;
    own.open.push_back(product);
    own.open.back().read = read(product);
  }
  void close_products(unsigned thread) {
    threads_[thread].groups.push_back(std::move(threads_[thread].open));
    threads_[thread].open.clear();
    threads_[thread].is_open = false;
  }
  void await_products(unsigned thread, std::size_t left) {
    Thread& own = threads_[thread];
    for (; own.groups.size() > left; own.groups.pop_front()) {
      for (Product const& product : own.groups.front()) end(own.sums, product);
    }
  }

  /// What must hold at the end of a block.
  void finish() const {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (!threads_[i].groups.empty() || !threads_[i].open.empty())
        throw std::logic_error("a product has not been awaited");
      if (threads_[i].begun != begun_[i / 128].size())
        throw std::logic_error("not all threads of a warpgroup have begun a product");
    }
  }

 private:
  static constexpr unsigned rows = 2, columns = 32, depth = 16;  // of a thread
  using Operands = std::array<std::uint16_t, (rows + columns) * depth>;
  static constexpr std::uint32_t under_way = 0x7fc0'1234;  // no number

  struct Product {
    unsigned thread;
    std::uint64_t left, right;
    bool left_is_across, right_is_across;
    float* sum;
    float (*number)(std::uint16_t);
    Operands read;
    bool is_same(Product const& other) const {
      return left == other.left && right == other.right && left_is_across == other.left_is_across &&
             right_is_across == other.right_is_across;
    }
  };
  struct Sum {
    float* registers;
    std::array<float, 64> value;
    unsigned products;
  };
  struct Sums {
    Sum* find(float const* registers) {
      for (Sum& sum : all) {
        if (sum.registers == registers) return &sum;
      }
      return nullptr;
    }
    std::vector<Sum> all;
  };
  struct Thread {
    std::vector<std::size_t> open_copies, arrived;
    std::deque<std::vector<std::size_t>> copies;
    bool is_open = false;
    std::size_t begun = 0;
    std::vector<Product> open;
    std::deque<std::vector<Product>> groups;
    Sums sums;
  };

  /// Element (row, k) of an operand. Layouts for a swizzle of 128 bytes, with 8 elements in 16 bytes: rows
  /// along k ((8, m), (8, 2)) : ((64, stride), (1, 8)), across ((8, 8, m), (8, 2)) : ((1, 8, leading), (64,
  /// stride)).
  std::uint16_t element(std::uint64_t descriptor, bool is_across, unsigned row, unsigned k) const {
    auto const field = [&](unsigned bit) { return static_cast<unsigned>(descriptor >> bit & 0x3fff) << 4; };
    unsigned const leading = field(16), stride = field(32);
    if (descriptor >> 46 != 1u << 16) throw std::logic_error("not a descriptor of a swizzle of 128 bytes");
    unsigned at = field(0);
    if (is_across) {
      at += row % 64 * 2 + row / 64 * leading + k % 8 * 128 + k / 8 * stride;
    } else {
      at += row % 8 * 128 + row / 8 * stride + k * 2;
    }
    at ^= at >> 3 & 0x70;
    if (at < first_address || at - first_address + 2 > seen_.size())
      throw std::logic_error("a product reads outside of shared memory");
    if (std::memcmp(&seen_[at - first_address], memory_ + (at - first_address), 2) != 0)
      throw std::logic_error("a product reads what threads have written and not published");
    std::uint16_t result;
    std::memcpy(&result, &seen_[at - first_address], 2);
    return result;
  }
  static unsigned row_of(unsigned thread, unsigned i) { return thread / 32 * 16 + thread % 32 / 4 + 8 * i; }
  static unsigned column_of(unsigned thread, unsigned j) { return j / 2 * 8 + thread % 4 * 2 + j % 2; }

  Operands read(Product const& product) const {
    Operands all;
    std::size_t at = 0;
    for (unsigned k = 0; k < depth; ++k) {
      for (unsigned i = 0; i < rows; ++i)
        all[at++] = element(product.left, product.left_is_across, row_of(product.thread, i), k);
      for (unsigned j = 0; j < columns; ++j)
        all[at++] = element(product.right, product.right_is_across, column_of(product.thread, j), k);
    }
    return all;
  }
  void end(Sums& sums, Product const& product) const {
    if (read(product) != product.read)
      throw std::logic_error("an operand has changed while a product was under way");
    Sum& sum = *sums.find(product.sum);
    for (float& value : std::span(product.sum, 64)) {
      if (std::bit_cast<std::uint32_t>(value) != under_way)
        throw std::logic_error("sums have changed while a product was under way");
    }
    for (unsigned i = 0; i < rows; ++i) {
      for (unsigned j = 0; j < columns; ++j) {
        float& value = sum.value[j / 2 * 4 + i * 2 + j % 2];
        double total = static_cast<double>(value);
        for (unsigned k = 0; k < depth; ++k) {
          auto const* const step = &product.read[k * (rows + columns)];
          total += static_cast<double>(product.number(step[i])) *
                   static_cast<double>(product.number(step[rows + j]));
        }
        value = static_cast<float>(total);
      }
    }
    if (--sum.products != 0) return;
    for (unsigned i = 0; i < 64; ++i) product.sum[i] = sum.value[i];
    sum = sums.all.back();
    sums.all.pop_back();
  }

  unsigned char const* memory_;
  std::vector<unsigned char> seen_;
  std::vector<Thread> threads_;
  std::vector<std::vector<Product>> begun_;
};

class PlayedWideThread : public PlayedThread {
 public:
  WEIR_HOST_DEVICE PlayedWideThread(Threads* all, TensorCores* cores, unsigned index, unsigned thread,
                                    unsigned threads)
      : PlayedThread(all, index, thread, threads), cores_(cores) {}

  WEIR_HOST_DEVICE unsigned warpgroup() const { return thread() / 128; }
  WEIR_HOST_DEVICE unsigned shared_address([[maybe_unused]] void const* pointer) const {
#if !defined(__CUDA_ARCH__)
    return cores_->address(pointer);
#else
    return 0;
#endif
  }
  WEIR_HOST_DEVICE void copy_async([[maybe_unused]] void* to, [[maybe_unused]] void const* from,
                                   [[maybe_unused]] unsigned bytes) const {
#if !defined(__CUDA_ARCH__)
    PlayedThread::copy_async(to, from, bytes);
    cores_->begin_copy(thread(), to);
#endif
  }
  WEIR_HOST_DEVICE void close() const {
#if !defined(__CUDA_ARCH__)
    PlayedThread::close();
    cores_->close_copies(thread());
#endif
  }
  template <int Count>
  WEIR_HOST_DEVICE void await_all_but() const {
#if !defined(__CUDA_ARCH__)
    PlayedThread::await_all_but<Count>();
    cores_->await_copies(thread(), Count);
#endif
  }
  WEIR_HOST_DEVICE void publish() const {
#if !defined(__CUDA_ARCH__)
    cores_->publish(thread());
#endif
  }
  template <int Count>
  WEIR_HOST_DEVICE void open_products(float (&)[Count][64]) const {
#if !defined(__CUDA_ARCH__)
    cores_->open_products(thread());
#endif
  }
  template <bool LeftIsAcross, bool RightIsAcross, class Element>
  WEIR_HOST_DEVICE void multiply_panels([[maybe_unused]] std::uint64_t left,
                                        [[maybe_unused]] std::uint64_t right,
                                        [[maybe_unused]] float (&sum)[64], Element const*) const {
#if !defined(__CUDA_ARCH__)
    cores_->begin_product(thread(), left, LeftIsAcross, right, RightIsAcross, sum,
                          [](std::uint16_t bits) { return static_cast<float>(Element::from_bits(bits)); });
#endif
  }
  WEIR_HOST_DEVICE void close_products() const {
#if !defined(__CUDA_ARCH__)
    cores_->close_products(thread());
#endif
  }
  template <int Left>
  WEIR_HOST_DEVICE void await_products() const {
#if !defined(__CUDA_ARCH__)
    cores_->await_products(thread(), Left);
#endif
  }
  template <int Count>
  WEIR_HOST_DEVICE void await_sums(float (&)[Count][64]) const {
    await_products<0>();
  }

 private:
  TensorCores* cores_;
};

/// All blocks of an operation of warpgroups, one after another; what a block may not do is an error.
template <class Operation>
void wide_blocks(Operation const& operation, unsigned threads, std::size_t shared_bytes) {
  static Threads all;
  std::vector<uint4> words(shared_bytes / sizeof(uint4) + 1);
  auto* const memory = reinterpret_cast<unsigned char*>(words.data());
  for (std::size_t index = 0; index < operation.blocks(); ++index) {
    std::memset(memory, 0xff, shared_bytes);
    TensorCores cores(memory, shared_bytes, threads);
    std::string error;
    all.run(threads, index + 1, [&](unsigned thread) {
      try {
        operation.run(PlayedWideThread(&all, &cores, static_cast<unsigned>(index), thread, threads), memory);
      } catch (std::exception const& found) {  // which cannot leave the thread's stack
        error = found.what();
      }
    });
    if (!error.empty()) throw std::logic_error(error);
    cores.finish();
  }
}

}  // namespace play
