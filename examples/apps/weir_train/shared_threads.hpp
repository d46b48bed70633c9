#pragma once

#include <cstddef>
#include <semaphore>

namespace weir_train {

/// A model that at most so many workers run at a time; the others wait for their turn.
template <class Model>
class SharedThreads {
 public:
  SharedThreads(Model& model, std::size_t threads)
      : model_(model), free_(static_cast<std::ptrdiff_t>(threads)) {}

  template <class Micro>
  void operator()(Micro& micro) {
    free_.acquire();
    struct Release {
      std::counting_semaphore<>& free;
      ~Release() { free.release(); }
    } const release{free_};
    model_(micro);
  }

 private:
  Model& model_;
  std::counting_semaphore<> free_;
};

}  // namespace weir_train
