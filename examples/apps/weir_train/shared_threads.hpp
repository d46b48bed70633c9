#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace weir_train {

/// A model that at most so many workers run at a time; the others wait for their turn.
template <class Model>
class SharedThreads {
 public:
  SharedThreads(Model& model, std::size_t threads) : model_(model), free_(threads) {}

  template <class Micro>
  void operator()(Micro& micro) {
    Turn const turn(*this);
    model_(micro);
  }

 private:
  // Not a std::counting_semaphore, which can sleep through a release in libstdc++ 12.
  class Turn {
   public:
    explicit Turn(SharedThreads& shared) : shared_(shared) {
      std::unique_lock lock(shared_.mutex_);
      shared_.released_.wait(lock, [&] { return shared_.free_ != 0; });
      --shared_.free_;
    }
    ~Turn() {
      {
        std::lock_guard const lock(shared_.mutex_);
        ++shared_.free_;
      }
      shared_.released_.notify_one();
    }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

   private:
    SharedThreads& shared_;
  };

  Model& model_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::size_t free_;
};

}  // namespace weir_train
