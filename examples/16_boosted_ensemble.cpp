// SAMME boosting for three classes: each learner asks two questions about one feature, and the weights of the
// samples that it misses rise for the next.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "weir/mask/ensemble.hpp"
#include "weir/mask/samme.hpp"

constexpr std::size_t samples = 300, classes = 3;
struct Sample {
  double x, y;
  std::size_t label;
};
/// Below `low` it is `label[0]`, below `high` `label[1]`, else `label[2]`.
struct Learner {
  bool of_y;
  double low, high;
  std::size_t label[3];
  std::size_t operator()(Sample const& sample) const {
    double const value = of_y ? sample.y : sample.x;
    return label[value < low ? 0 : value < high ? 1 : 2];
  }
};

std::vector<Sample> make_samples() {
  std::vector<Sample> all;
  for (std::size_t i = 0; i < samples; ++i) {
    double const x = static_cast<double>(i * 97 % samples) / samples,
                 y = static_cast<double>(i * 41 % 53) / 53;
    all.push_back({x, y, x + y < 0.7 ? 0u : x + y < 1.2 ? 1u : 2u});
  }
  return all;
}

/// The learner of the least weighted error.
Learner train(std::vector<Sample> const& all, std::vector<double> const& weights) {
  Learner best{};
  double least = 2;
  for (bool of_y : {false, true}) {
    for (int cut = 0; cut < 100; ++cut) {
      double held[3][classes] = {};
      Learner learner{of_y, cut / 10 / 10.0, cut % 10 / 10.0, {0, 1, 2}};
      for (std::size_t i = 0; i < samples; ++i) held[learner(all[i])][all[i].label] += weights[i];
      double error = 1;
      for (std::size_t part = 0; part < 3; ++part) {
        auto const* const most = std::max_element(held[part], held[part] + classes);
        learner.label[part] = static_cast<std::size_t>(most - held[part]);
        error -= *most;
      }
      if (error < least) least = error, best = learner;
    }
  }
  return best;
}

int main() {
  auto const all = make_samples();
  weir::Samme samme(samples, classes);
  std::vector<Learner> learners;
  std::vector<double> alphas;
  for (int round = 0; round < 30; ++round) {
    Learner const learner = train(all, samme.weights());
    std::vector<bool> is_wrong(samples);
    for (std::size_t i = 0; i < samples; ++i) is_wrong[i] = learner(all[i]) != all[i].label;
    auto const result = samme.add(is_wrong);
    if (!result.accepted) break;
    learners.push_back(learner), alphas.push_back(result.alpha);
  }
  std::size_t right_alone = 0, right = 0;
  for (Sample const& sample : all) {
    std::vector<std::size_t> votes;
    for (Learner const& learner : learners) votes.push_back(learner(sample));
    right_alone += votes[0] == sample.label ? 1 : 0;
    right += weir::majority_vote(votes, classes, alphas) == sample.label ? 1 : 0;
  }
  std::printf("%zu of %zu right with one learner, %zu with %zu\n", right_alone, samples, right,
              learners.size());
  return right > right_alone + samples / 10 ? 0 : 1;
}
