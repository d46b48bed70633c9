#include "weir/pipeline/stage_calls.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "weir/host/executor.hpp"

TEST_CASE("micro-batches are cut from the batch, and empty behind the end of the run") {
  std::vector<int> const samples{0, 1, 2, 3, 4};
  weir::detail::PipelineRun run;
  run.micro_batches = 3;
  run.local_batch = 2;
  auto const piece = [&](std::size_t index) {
    return weir::detail::piece_of(std::span<int const>(samples), run, index);
  };
  CHECK(piece(1).size() == 2);
  CHECK(piece(1)[0] == 2);
  CHECK(piece(2).size() == 1);
  CHECK(piece(3).empty());
  run.micro_batches = 2;
  CHECK(piece(2).empty());
  auto const of_view = weir::detail::piece_of(weir::view(samples.data(), 5), run, 1);
  CHECK(of_view[1] == 3);
}

namespace {

struct Gradient {
  std::string& calls;
  void open() const { calls += "open "; }
  void complete() const { calls += "complete "; }
};
struct Whole {
  std::string& calls;
  void forward(int&) {}
  void backward(int&) { calls += "B "; }
};
struct Split {
  std::string& calls;
  void forward(int&) {}
  void backward_input(int&) { calls += "I "; }
  void backward_weight(int&) { calls += "W "; }
};

template <class Stage>
std::string calls_of(weir::OperationKind kind) {
  std::string calls;
  Stage stage{calls};
  int micro = 0;
  weir::detail::run_backward(stage, micro, kind, Gradient{calls});
  return calls;
}

}  // namespace

TEST_CASE("a backward in one part is done with the gradient of the input, one in two parts when it is due") {
  using enum weir::OperationKind;
  CHECK(calls_of<Whole>(backward) == "open B complete ");
  CHECK(calls_of<Whole>(backward_input) == "open B complete ");
  CHECK(calls_of<Whole>(backward_weight).empty());
  CHECK(calls_of<Split>(backward) == "I open W complete ");
  CHECK(calls_of<Split>(backward_input) == "I ");
  CHECK(calls_of<Split>(backward_weight) == "open W complete ");
}

namespace {

struct Recomputed {
  std::size_t stage() const { return 0; }
  bool is_recompute() const { return true; }
};
struct Thrower {
  int state = 7;
  int& generator(Recomputed&) { return state; }
  void forward(Recomputed&) {
    ++state;
    throw std::runtime_error("no more");
  }
  void backward(Recomputed&) {}
};

}  // namespace

TEST_CASE("a generator goes on from where it was, also behind a recomputation that throws") {
  Thrower stage;
  Recomputed micro;
  std::vector<std::byte> kept(sizeof(int));
  CHECK_THROWS_AS(weir::detail::run_forward(stage, micro, &kept), std::runtime_error);
  CHECK(stage.state == 7);
}
