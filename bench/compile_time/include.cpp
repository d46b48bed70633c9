// What it costs to include the library: the compiler is run on one line. The goal for weir/weir.hpp is 1.2 s
// with g++ 12; beside it stand an empty unit and the threads of the standard library, which every user pays
// for.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

namespace {

void compile(benchmark::State& state, std::string const& includes) {
  std::string const command = "printf '" + includes +
                              "' | " WEIR_COMPILER " -std=c++20 -I " WEIR_INCLUDE_DIR
                              " -x c++ -fsyntax-only -";
  for (auto _ : state) {
    if (std::system(command.c_str()) != 0) {
      state.SkipWithError("the compiler failed");
      break;
    }
  }
}

}  // namespace

BENCHMARK_CAPTURE(compile, nothing, "")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(compile, threads,
                  "#include <thread>\\n#include <condition_variable>\\n#include <vector>\\n")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(compile, weir, "#include <weir/weir.hpp>\\n")->Unit(benchmark::kMillisecond)->UseRealTime();

BENCHMARK_MAIN();
