#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "weir_train/error_text.hpp"
#include "weir_train/rank_threads.hpp"

namespace {

std::atomic<int> threads_left = 0;

/// As where the system makes no more of them.
class LastThreads {
 public:
  template <class Function>
  explicit LastThreads(Function&& function) {
    if (threads_left-- == 0) throw std::system_error(EAGAIN, std::generic_category());
    thread_ = std::jthread(std::forward<Function>(function));
  }

 private:
  std::jthread thread_;
};

weir_train::Outcome train(std::size_t ranks, std::atomic<int>& begun) {
  return weir_train::train_on_threads<LastThreads>(ranks, [&](std::size_t rank) {
    ++begun;
    while (begun < static_cast<int>(ranks)) std::this_thread::yield();
    weir_train::Outcome outcome;
    outcome.name = std::to_string(rank);
    return outcome;
  });
}

}  // namespace

TEST_CASE("weir-train: where a rank has no thread, the others do not wait for it") {
  std::atomic<int> begun = 0;
  threads_left = 2;
  CHECK_THROWS_AS(train(3, begun), std::system_error);
  CHECK(begun == 0);
  threads_left = 3;
  CHECK(train(3, begun).name == "0");
}

TEST_CASE("weir-train: a lack of threads is told by the options that ask for them") {
  weir_train::Configuration configuration;
  configuration.ranks = 3;
  configuration.workers = 400;
  configuration.threads = 2;
  std::system_error const lack(EAGAIN, std::generic_category());
  CHECK(weir_train::error_text(configuration, lack) ==
        "--ranks 3, --workers 400, --threads 2: no more threads can be made; fewer would be right");
  configuration.pipeline = weir_train::PipelineSetup{.workers = 8};
  CHECK(weir_train::error_text(configuration, lack)
            .starts_with("--ranks 3, --workers 400, --pipeline-workers 8, --threads 2: "));
  std::system_error const other(EACCES, std::generic_category());
  CHECK(weir_train::error_text(configuration, other) == other.what());
}
