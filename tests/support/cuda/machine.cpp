#include "support/cuda/machine.hpp"

#include <ostream>

namespace stand_in {

namespace {
Machine* machine = nullptr;  // changed between tests only
}  // namespace

int& current_device() {
  static thread_local int device = 0;
  return device;
}

Machine* Machine::current() {
  return machine;
}

Machine::Machine(Options const& given) : options(given), random_(given.seed) {}

Machine::~Machine() {
  while (!memory.empty()) forget_memory(memory.begin()->first);
}

void Machine::violation(std::string text) {
  std::lock_guard const lock(violations_mutex_);
  violations_.push_back(std::move(text));
}

std::vector<std::string> Machine::take_violations() {
  std::lock_guard const lock(violations_mutex_);
  return std::exchange(violations_, {});
}

/// Counts a call. An error if it is to fail before it does anything.
cudaError_t Machine::enter(char const* function) {
  ++counts[function];
  bool const is_meant = failing_function.empty() ? std::string_view(function) != "cudaGetLastError"
                                                 : failing_function == function;
  if (is_meant && fail_in != 0 && --fail_in == 0) return failure;
  switch (options.driver) {
    case Driver::missing:
      return cudaErrorInsufficientDriver;
    case Driver::without_device:
      return cudaErrorNoDevice;
    case Driver::unloading:
      return cudaErrorCudartUnloading;
    case Driver::present:
      break;
  }
  return cudaSuccess;
}

Calls calls_between(Calls const& earlier, Calls const& later) {
  Calls difference;
  for (auto const& [function, count] : later) {
    auto const before = earlier.find(function);
    std::size_t const more = count - (before == earlier.end() ? 0 : before->second);
    if (more != 0) difference[function] = more;
  }
  return difference;
}

std::ostream& operator<<(std::ostream& out, Inventory const& all) {
  return out << all.allocations << " allocations of " << all.bytes << " bytes, " << all.streams
             << " streams, " << all.events << " events, " << all.graphs << " graphs";
}

Session::Session(Options options) {
  current_device() = 0;
  machine = new Machine(options);
}

Session::~Session() {
  run_all();
  delete std::exchange(machine, nullptr);
}

void Session::run_all() {
  Machine::Lock lock(machine->mutex);
  machine->run_until_idle(-1, lock);
}

std::vector<std::string> Session::take_violations() {
  return machine->take_violations();
}

Inventory Session::inventory() const {
  std::lock_guard const lock(machine->mutex);
  return machine->inventory();
}

Calls Session::calls() const {
  std::lock_guard const lock(machine->mutex);
  return machine->counts;
}

std::size_t Session::default_stream_operations() const {
  std::lock_guard const lock(machine->mutex);
  return machine->default_stream_operations;
}

std::size_t Session::pageable_copies() const {
  std::lock_guard const lock(machine->mutex);
  return machine->pageable_copies;
}

std::size_t Session::operations_run() const {
  std::lock_guard const lock(machine->mutex);
  return machine->finished;
}

void Session::fail(std::string function, std::size_t nth, cudaError_t code) {
  std::lock_guard const lock(machine->mutex);
  machine->failing_function = std::move(function);
  machine->fail_in = nth;
  machine->failure = code;
}

bool Session::has_failed() const {
  std::lock_guard const lock(machine->mutex);
  return machine->failure != cudaSuccess && machine->fail_in == 0;
}

void Session::drop_wait(std::size_t nth) {
  std::lock_guard const lock(machine->mutex);
  machine->drop_in = nth;
}

std::size_t Session::waits() const {
  std::lock_guard const lock(machine->mutex);
  return machine->waits;
}

void Session::set_driver(Driver driver) {
  std::lock_guard const lock(machine->mutex);
  machine->options.driver = driver;
}

}  // namespace stand_in
