#pragma once

#include <memory>
#include <thread>

#include "weir/exec/task_ring.hpp"

namespace weir::inline v1 {

/// A thread that runs tasks in the order in which they were pushed, each with the same argument.
/// On destruction it runs what is left and is joined.
template <class Argument>
class TaskThread {
 public:
  /// `make_argument(TaskThread*)` makes the argument of the tasks.
  template <class MakeArgument>
  explicit TaskThread(MakeArgument make_argument)
      : ring_(std::make_shared<TaskRing<Argument const>>()),
        thread_([ring = ring_, argument = make_argument(this)] { ring->run(argument); }) {}

  TaskThread(TaskThread const&) = delete;
  TaskThread& operator=(TaskThread const&) = delete;

  ~TaskThread() {
    ring_->close();
    // The last owner may be a task of this very thread, and a thread cannot join itself.
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }

  TaskRing<Argument const>& ring() { return *ring_; }

 private:
  std::shared_ptr<TaskRing<Argument const>> ring_;  // shared with the thread, which may outlive this object
  std::thread thread_;
};

}  // namespace weir::inline v1
