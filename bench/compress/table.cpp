// Selection as a table: CSV on standard output, a line for each method, vector, density and memory.
//
//   bench-compress-table [--large] [--threads T] [--rounds R] [--bfloat16] [FILE.npy ...]
//
// The vectors are those of the files or, without any, 0.26, 2.6 and 26.2 million drawn elements of each of
// five distributions, with --large 262 million of them besides. What does not fit into memory is skipped,
// with a line on standard error. bench/README.md says what the columns are.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "read_roof.hpp"
#include "selection_table.hpp"
#include "sparsifier.hpp"
#include "support/available_memory.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"

namespace {

struct Options {
  bool is_large = false;
  bool is_bfloat16 = false;
  std::size_t threads = 0;  // all cores
  int rounds = 21;
  std::vector<std::string> files;
};

int whole_number(std::string const& option, char const* text, int least) {
  char* end = nullptr;
  long const number = text == nullptr ? -1 : std::strtol(text, &end, 10);
  if (text == nullptr || *end != '\0' || number < least || number > 1'000'000) {
    throw std::invalid_argument(option + " " + (text == nullptr ? "" : text) + ": a whole number from " +
                                std::to_string(least) + " on would be right");
  }
  return static_cast<int>(number);
}

Options options_of(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    std::string const word = words[i];
    if (word == "--large") {
      options.is_large = true;
    } else if (word == "--bfloat16") {
      options.is_bfloat16 = true;
    } else if (word == "--threads") {
      options.threads = static_cast<std::size_t>(whole_number(word, words[++i], 1));
    } else if (word == "--rounds") {
      options.rounds = whole_number(word, words[++i], 1);
    } else if (word.starts_with("-")) {
      throw std::invalid_argument(
          word + ": --large, --threads T, --rounds R, --bfloat16 or a .npy file would be right");
    } else {
      options.files.push_back(word);
    }
  }
  return options;
}

class Table {
 public:
  explicit Table(Options const& options) : executor_({.threads = options.threads}), rounds_(options.rounds) {}

  void add(std::string const& name, std::vector<float> const& vector) {
    if (vector.empty()) return;
    RotatedVectors vectors(vector);
    TableRow row;
    row.data = name;
    row.size = vector.size();
    std::vector<float> copied(vector.size());
    row.read = median([&] { read_of(executor_, {vectors.next(), row.size}).run(); });
    row.copy = median([&] {
      copy(executor_, weir::view(vectors.next(), row.size), weir::view(copied));
      executor_.synchronize();
    });
    for (double const density : {0.1, 0.01, 0.001}) {
      row.density = density;
      for (bool const has_feedback : {false, true}) {
        row.has_feedback = has_feedback;
        measure<weir::Histogram>(row, vectors, copied);
        measure<weir::ExactTopK>(row, vectors, copied);
        measure<weir::Exponential>(row, vectors, copied);
        measure<weir::GeneralizedPareto>(row, vectors, copied);
        measure<weir::SampledTopK>(row, vectors, copied);
        measure<weir::GaussianK>(row, vectors, copied);
        measure<weir::RandomK>(row, vectors, copied);
      }
    }
  }

 private:
  static constexpr int warm_ups = 3;

  template <class Work>
  double median(Work const& work) const {
    std::vector<double> times;
    for (int round = 0; round < warm_ups + rounds_; ++round) {
      double const time = time_of(work);
      if (round >= warm_ups) times.push_back(time);
    }
    return quantile(times, 0.5);
  }

  template <class Policy>
  void measure(TableRow row, RotatedVectors& vectors, std::vector<float>& dense) {
    // With room for whatever the policy selects: a cut would be another search, and not of its doing.
    Sparsifier<Policy> sparsifier(executor_, {vectors.next(), row.size}, row.density, row.has_feedback,
                                  row.size);
    double quality = 0.0;
    double selected = 0.0;
    for (int round = 0; round < warm_ups + rounds_; ++round) {
      sparsifier.take({vectors.next(), row.size});
      double const time = time_of([&] { sparsifier.run(); });
      if (round < warm_ups) continue;
      row.times.push_back(time);
      quality += quality_of(sparsifier.state().last);
      selected += static_cast<double>(sparsifier.counts().count);
    }
    row.method = Policy::name;
    row.quality = quality / rounds_;
    row.bytes = bytes_to_move(row.size, selected / rounds_, row.has_feedback);
    row.decompress = median([&] {
      set_zero(executor_, weir::view(dense));
      scatter_add(executor_, weir::view(sparsifier.indices()), weir::view(sparsifier.values()),
                  &sparsifier.counts().count, weir::view(dense));
      executor_.synchronize();
    });
    std::cout << csv_line(row) << std::endl;
  }

  weir::HostExecutor executor_;
  int rounds_;
};

}  // namespace

int main(int count, char** words) {
  try {
    Options const options = options_of(count, words);
    std::vector<std::vector<float>> gradients;  // all files are read before any work
    for (std::string const& path : options.files)
      gradients.push_back(read_gradient(path, options.is_bfloat16));
    std::cout << csv_header() << std::endl;
    Table table(options);
    for (std::size_t i = 0; i < gradients.size(); ++i) table.add(options.files[i], gradients[i]);
    if (!options.files.empty()) return 0;
    std::vector<std::size_t> sizes = {262'144, 2'621'440, 26'214'400};
    if (options.is_large) sizes.push_back(262'144'000);
    for (std::size_t const size : sizes) {
      // Two copies, two sides, candidates, and pairs.
      double const needed = 48.0 * static_cast<double>(size) + 3e8;
      if (needed > available_memory()) {
        std::cerr << size << " elements take " << static_cast<int>(needed * 1e-9 + 1)
                  << " GB, which are not free\n";
        continue;
      }
      for (std::string const& name : table_distributions()) table.add(name, draw(name, size));
    }
    return 0;
  } catch (std::invalid_argument const& error) {
    std::cerr << "bench-compress-table: " << error.what() << '\n';
    return 2;
  } catch (std::exception const& error) {
    std::cerr << "bench-compress-table: " << error.what() << '\n';
    return 1;
  }
}
