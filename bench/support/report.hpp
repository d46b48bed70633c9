#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace bench {

struct Timing {
  double median = 0.0;  // microseconds
  double spread = 0.0;  // the range of the middle half, over the median
};

/// What a figure has to reach, of its ratio or of its value.
struct Goal {
  enum class Of { nothing, ratio, value };

  Of of = Of::nothing;
  double bound = 0.0;

  static Goal ratio_at_least(double bound) { return {Of::ratio, bound}; }
  static Goal value_at_most(double bound) { return {Of::value, bound}; }
};

struct Figure {
  std::string measured;  // the case
  std::string what;      // who did it
  Timing timing;
  std::string unit = "us";
  double bytes = 0.0;  // that have to be moved; 0: that is not the point
  std::string roof = "";
  double roof_value = 0.0;
  double ratio = 0.0;  // of roof and median, the better the larger; 0: none
  Goal goal = {};
};

/// Writes figures, one a line of tab-separated cells, to the file named by the first argument, if there is
/// one, and for reading to the terminal. tools/results_json.awk knows the cells.
class Report {
 public:
  Report(int count, char** arguments) {
    if (count > 1) file_ = std::fopen(arguments[1], "w");
    if (count > 1 && file_ == nullptr) {
      std::perror(arguments[1]);
      std::exit(EXIT_FAILURE);
    }
  }
  Report(Report const&) = delete;
  Report& operator=(Report const&) = delete;
  ~Report() {
    if (file_ != nullptr) std::fclose(file_);
  }

  void add(Figure const& figure) {
    std::string goal;
    std::string met;
    if (figure.goal.of != Goal::Of::nothing) {
      bool const is_ratio = figure.goal.of == Goal::Of::ratio;
      goal = (is_ratio ? "ratio >= " : "value <= ") + number(figure.goal.bound);
      met =
          is_ratio ? yes(figure.ratio >= figure.goal.bound) : yes(figure.timing.median <= figure.goal.bound);
    }
    std::vector<std::string> const cells{figure.measured,
                                         figure.what,
                                         number(figure.timing.median),
                                         figure.unit,
                                         number(figure.timing.spread),
                                         unless_zero(figure.bytes),
                                         figure.roof,
                                         unless_zero(figure.roof_value),
                                         unless_zero(figure.ratio),
                                         goal,
                                         met};
    std::string line = cells[0];
    for (std::size_t cell = 1; cell < cells.size(); ++cell) line += "\t" + cells[cell];
    if (file_ != nullptr) {
      std::fprintf(file_, "%s\n", line.c_str());
      std::fflush(file_);  // what has been measured is kept if the time is up
    }
    std::printf("%-44s %-24s %10.4g %s  +-%4.1f %%", cells[0].c_str(), cells[1].c_str(), figure.timing.median,
                cells[3].c_str(), 50 * figure.timing.spread);
    if (figure.roof != "") std::printf("  %s %.4g", cells[6].c_str(), figure.roof_value);
    if (figure.ratio != 0) std::printf("  ratio %.3f", figure.ratio);
    if (goal != "") std::printf("  %s: %s", goal.c_str(), met.c_str());
    std::printf("\n");
    std::fflush(stdout);
  }

 private:
  static std::string number(double value) {
    if (!std::isfinite(value)) return "-1";  // what JSON can hold; no figure is below 0
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
  }
  static std::string unless_zero(double value) { return value == 0.0 ? "" : number(value); }
  static char const* yes(bool is_met) { return is_met ? "yes" : "no"; }

  std::FILE* file_ = nullptr;
};

}  // namespace bench
