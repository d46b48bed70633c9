// Data parallelism over processes, in a program that has its own MPI: `mpirun -n 2 03_borrowed_mpi`. The
// communicator is borrowed: weir duplicates it, and neither starts nor ends MPI. Each rank reads only its own
// part of a batch, and the parts differ in size.
#include <mpi.h>

#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/mpi/communicator.hpp"
#include "weir/weir.hpp"

struct Sample {
  float x, y;
};

// Fits y = w x.
struct Model {
  void operator()(auto& micro) const {
    float const weight = micro.weights(0)[0];
    float sum = 0.0f;
    for (Sample const& sample : micro.samples()) sum += (weight * sample.x - sample.y) * sample.x;
    float const gradient = micro.loss_scale() * sum / static_cast<float>(micro.samples().size());
    auto const out = micro.gradient(0);
    out[0] = micro.accumulate() ? out[0] + gradient : gradient;
  }
};

// The samples of this rank: rank r has 8 + r of them.
std::vector<Sample> read_samples(int rank) {
  weir::RandomStream const random{.seed = 5, .site = static_cast<std::uint32_t>(rank)};
  std::vector<Sample> samples(8 + static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    float const x = random.normal(i);
    samples[i] = {x, -1.5f * x};
  }
  return samples;
}

float train(MPI_Comm ours) {
  weir::MpiCommunicator const communicator(ours);
  std::vector<Sample> const samples = read_samples(static_cast<int>(communicator.rank()));
  std::vector<float> weights(1);
  Model const model;

  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes({sizeof(float)});
  // Room for 2 * 2 * 4 samples per rank and step; the last micro-batches may be short or empty.
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 4}};
  auto const recipe = weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                      weir::Sgd{{.learning_rate = 0.3}};
  auto sync = recipe.on(workers, weir::view(weights));
  // A batch that holds this rank's samples only. The ranks add up how many there are, once a step.
  weir::LocalBatch const batch{std::span<Sample const>(samples)};
  for (int step = 0; step < 100; ++step) sync(workers(batch, model));
  sync.wait();
  return weights[0];
}

int main(int argc, char** argv) {
  // Collectives are called on a stream's thread, one at a time: MPI has to be told so.
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  MPI_Comm ours = MPI_COMM_NULL;  // whatever the program has split off for its training
  MPI_Comm_split(MPI_COMM_WORLD, 0, 0, &ours);

  float const weight = train(ours);

  float smallest = 0.0f, largest = 0.0f;  // the communicator is still ours, and works
  MPI_Allreduce(&weight, &smallest, 1, MPI_FLOAT, MPI_MIN, ours);
  MPI_Allreduce(&weight, &largest, 1, MPI_FLOAT, MPI_MAX, ours);
  std::printf("weight %.6f, from %.6f to %.6f over all ranks\n", double{weight}, double{smallest},
              double{largest});
  MPI_Comm_free(&ours);
  MPI_Finalize();
  return smallest == largest && std::abs(weight + 1.5f) < 1e-4f ? 0 : 1;
}
