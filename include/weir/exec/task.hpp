#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace weir::inline v1 {

/// A callable in fixed storage: no allocation, run at most once, then empty. Never moved: it is built in its
/// slot.
template <class Argument, std::size_t Capacity>
class Task {
 public:
  Task() = default;
  Task(Task const&) = delete;
  Task& operator=(Task const&) = delete;
  ~Task() {
    if (act_ != nullptr) act_(storage_, nullptr);
  }

  template <class F>
  void emplace(F&& f) {
    using Function = std::remove_cvref_t<F>;
    static_assert(sizeof(Function) <= Capacity && alignof(Function) <= alignof(std::max_align_t),
                  "this callable captures too much for a stream slot: capture a pointer or a view instead");
    ::new (static_cast<void*>(storage_)) Function(std::forward<F>(f));
    act_ = [](void* storage, Argument* argument) {
      Function& function = *static_cast<Function*>(storage);
      struct Destroy {
        Function& function;
        ~Destroy() { function.~Function(); }
      } destroy{function};
      if (argument == nullptr) return;
      if constexpr (std::is_invocable_v<Function&>) {
        function();
      } else {
        function(*argument);
      }
    };
  }

  /// Runs the callable and destroys it, also when it throws.
  void run(Argument& argument) { std::exchange(act_, nullptr)(storage_, &argument); }

 private:
  alignas(std::max_align_t) std::byte storage_[Capacity];
  void (*act_)(void* storage, Argument* argument) = nullptr;
};

}  // namespace weir::inline v1
