#include <algorithm>
#include <chrono>
#include <exception>

#include "support/cuda/machine.hpp"

namespace stand_in {

bool& is_in_operation() {
  static thread_local bool is_in = false;
  return is_in;
}

Lane& Machine::new_lane(int device, std::string name, bool is_blocking) {
  // With every other seed some streams are much slower than others.
  double const weight = options.seed % 2 == 0 ? 1.0 : 1.0 / static_cast<double>(1u << (random_() % 8));
  Lane& lane = lanes_.emplace_back();
  lane.index = lanes_.size() - 1;
  lane.device = device;
  lane.name = std::move(name);
  lane.is_blocking = is_blocking;
  lane.weight = weight;
  return lane;
}

OperationPtr Machine::append(Lane& lane, Work work, std::vector<OperationPtr> after) {
  auto const operation = std::make_shared<Operation>();
  operation->work = std::move(work);
  operation->after = std::move(after);
  lane.clock.join(host_);
  for (auto const& other : operation->after) lane.clock.join(other->clock);
  lane.clock.set(lane.index, ++lane.appended);
  operation->clock = lane.clock;
  lane.queue.push_back(operation);
  lane.last = operation;
  check_accesses(*operation, lane);
  changed_.notify_all();
  return operation;
}

bool Machine::is_due(Lane const& lane) const {
  if (lane.queue.empty()) return false;
  Operation const& next = *lane.queue.front();
  if (next.state != Operation::State::waiting || next.is_stalled) return false;
  return std::all_of(next.after.begin(), next.after.end(),
                     [](auto const& other) { return other->state == Operation::State::done; });
}

void Machine::finish(Lane& lane) {
  Operation& operation = *lane.queue.front();
  operation.state = Operation::State::done;
  operation.after.clear();
  operation.work.attempt = nullptr;
  if (operation.work.frees) forget_memory(reinterpret_cast<Address>(operation.work.accesses[0].begin));
  operation.finished_as = ++finished;
  lane.queue.pop_front();
}

/// Runs one operation, drawn among those that may be next. False if there was none.
bool Machine::run_one(Lock& lock) {
  std::vector<Lane*> due;
  std::vector<double> weights;
  for (Lane& lane : lanes_) {
    if (!is_due(lane)) continue;
    due.push_back(&lane);
    weights.push_back(lane.weight);
  }
  if (due.empty()) return false;
  Lane& lane = *due[std::discrete_distribution<std::size_t>(weights.begin(), weights.end())(random_)];
  OperationPtr const operation = lane.queue.front();
  bool is_done = true;
  if (operation->work.attempt) {
    operation->state = Operation::State::running;
    ++running_;
    if (operation->work.on_host) lock.unlock();
    is_in_operation() = true;
    try {
      is_done = operation->work.attempt();
    } catch (std::exception const& error) {
      violation(operation->work.name + " has thrown: " + error.what());
    }
    is_in_operation() = false;
    if (operation->work.on_host) lock.lock();
    --running_;
    if (operation->state == Operation::State::done) return true;  // the device was reset meanwhile
    operation->state = Operation::State::waiting;
  }
  if (is_done) {
    finish(lane);
    for (Lane& other : lanes_) {
      if (!other.queue.empty()) other.queue.front()->is_stalled = false;
    }
  } else {
    operation->is_stalled = true;
  }
  changed_.notify_all();
  return true;
}

bool Machine::run_until_done(OperationPtr const& operation, Lock& lock, bool counts_as_wait) {
  using namespace std::chrono_literals;
  while (operation && operation->state != Operation::State::done) {
    if (run_one(lock)) continue;
    bool stalled = false;
    for (Lane& lane : lanes_) {
      if (lane.queue.empty() || !lane.queue.front()->is_stalled) continue;
      lane.queue.front()->is_stalled = false;
      stalled = true;
    }
    if (!stalled && running_ == 0) {
      violation("nothing can run before " + operation->work.name);
      return false;
    }
    changed_.wait_for(lock, 200us);
  }
  if (operation && counts_as_wait) host_has_seen(operation);
  return true;
}

void Machine::run_until_idle(int device, Lock& lock) {
  std::vector<OperationPtr> all;
  for (Lane const& lane : lanes_) {
    if ((device < 0 || lane.device == device) && lane.last) all.push_back(lane.last);
  }
  for (auto const& operation : all) {
    if (!run_until_done(operation, lock)) return;
  }
}

/// Time passes.
void Machine::poll(Lock& lock) {
  for (auto turns = random_() % 4 + 1; turns != 0; --turns) {
    if (run_one(lock)) continue;
    for (Lane& lane : lanes_) {
      if (!lane.queue.empty()) lane.queue.front()->is_stalled = false;
    }
    return;
  }
}

void Machine::host_has_seen(OperationPtr const& operation) {
  host_.join(operation->clock);
}

void Machine::drop_pending(int device) {
  for (Lane& lane : lanes_) {
    if (lane.device != device) continue;
    for (auto const& operation : lane.queue) {
      operation->state = Operation::State::done;
      operation->after.clear();
    }
    lane.queue.clear();
    lane.last = nullptr;
  }
}

}  // namespace stand_in
