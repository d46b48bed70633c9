// expect: 'executor\.fork\(\)' (is|would be) invalid
#include <cstddef>

#include "weir/exec/concepts.hpp"

struct Stream {
  using memory_space = weir::HostSpace;
  using stream_type = int;
  using event_type = int;

  int stream() const { return 0; }
  int make_event() const { return 0; }
  template <class Function>
  void submit(Function const& function) const {
    function(*this);
  }
  void record(int const&) const {}
  void wait(int const&) const {}
  void synchronize(int const&) const {}
  void synchronize() const {}
#ifdef WEIR_FAIL_CONTROL
  Stream fork() const {
    return {};
  }
#endif
  void* allocate(std::size_t) const {
    return nullptr;
  }
  void deallocate(void*, std::size_t) const noexcept {}
};

template <weir::Executor E>
void run(E const&) {}

void start() {
  run(Stream{});
}
