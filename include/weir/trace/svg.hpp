#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/core/file_replacement.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/trace/lane.hpp"
#include "weir/trace/merge_sort.hpp"
#include "weir/trace/text.hpp"
#include "weir/trace/time_unit.hpp"

namespace weir::inline v1 {

/// How a timeline is drawn.
struct SvgOptions {
  std::string title = "timeline";
  int width = 1200;  ///< of the whole drawing, in pixels
};

namespace detail {

/// Draws spans into lanes.
class SvgTimeline {
 public:
  SvgTimeline(std::span<Span const> spans, SvgOptions const& options)
      : spans_(spans), options_(options), extent_(extent_of(spans)), lanes_(lanes_of(spans)) {
    place_spans();
    choose_colours();
  }

  std::string draw() const {
    int const bottom = top + height_;
    int const height = bottom + axis_height + legend_row * legend_rows() + margin;
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(options_.width) +
                      "\" height=\"" + std::to_string(height) + "\" viewBox=\"0 0 " +
                      std::to_string(options_.width) + " " + std::to_string(height) + "\">\n" + style;
    svg += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    svg += text("title", margin, 30, xml_text(options_.title));
    svg += text("note end", options_.width - margin, 30, summary());
    draw_lanes(svg);
    draw_axis(svg, bottom);
    for (std::size_t i = 0; i < spans_.size(); ++i) draw_span(svg, i);
    draw_legend(svg, bottom + axis_height);
    return svg + "</svg>\n";
  }

 private:
  struct Row {
    int y = 0;       // of its first track
    int tracks = 1;  // more where spans of one lane overlap
    std::int64_t busy = 0;
    std::int64_t covered = INT64_MIN;  // up to here

    void cover(Span const& span) {
      std::int64_t const end = span.begin + length_of(span);
      if (end <= covered) return;
      busy += end - (span.begin > covered ? span.begin : covered);
      covered = end;
    }
  };
  struct Colour {
    std::string_view kind;
    std::int64_t total = 0;
  };

  static constexpr int margin = 24;
  static constexpr int label_width = 118;
  static constexpr int busy_width = 56;
  static constexpr int top = 66;
  static constexpr int track_height = 26;
  static constexpr int lane_gap = 8;
  static constexpr int rank_gap = 26;
  static constexpr int axis_height = 54;
  static constexpr int legend_row = 24;
  static constexpr int legend_column = 220;
  static constexpr char const* style =
      "<style>\n"
      "text { font: 12px system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: "
      "#374151; }\n"
      ".paper { fill: #ffffff; }\n"
      ".title { font-size: 17px; font-weight: 600; fill: #111827; }\n"
      ".note, .mark { fill: #6b7280; }\n"
      ".rank { font-weight: 600; fill: #111827; }\n"
      ".inside { font-size: 11px; fill: #ffffff; pointer-events: none; }\n"
      ".end { text-anchor: end; }\n"
      ".middle { text-anchor: middle; }\n"
      ".lane { fill: #f3f4f6; }\n"
      ".grid { stroke: #d1d5db; stroke-width: 1; }\n"
      ".span { stroke: #ffffff; stroke-width: 0.6; }\n"
      ".span:hover { stroke: #111827; stroke-width: 1.5; }\n"
      "</style>\n";

  static std::string_view kind_of(Span const& span) {
    return *span.category != '\0' ? span.category : span.name;
  }

  static std::string text(char const* style_class, int x, int y, std::string const& content) {
    return std::string("<text class=\"") + style_class + "\" x=\"" + std::to_string(x) + "\" y=\"" +
           std::to_string(y) + "\">" + content + "</text>\n";
  }
  static std::string box(char const* style_class, std::string const& x, int y, std::string const& width,
                         int height, std::string const& more) {
    return std::string("<rect class=\"") + style_class + "\" x=\"" + x + "\" y=\"" + std::to_string(y) +
           "\" width=\"" + width + "\" height=\"" + std::to_string(height) + "\"" + more;
  }

  std::size_t lane_index(Span const& span) const { return lane_position(lanes_, lane_of(span)); }

  /// Gives each span the first track of its lane that is free again, and each lane its place.
  void place_spans() {
    std::vector<std::size_t> order(spans_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    merge_sort(order,
               [&](std::size_t left, std::size_t right) { return spans_[left].begin < spans_[right].begin; });

    std::vector<std::vector<std::int64_t>> ends(lanes_.size());
    rows_.resize(lanes_.size());
    tracks_.resize(spans_.size());
    for (std::size_t const i : order) {
      std::size_t const lane = lane_index(spans_[i]);
      std::vector<std::int64_t>& tracks = ends[lane];
      std::size_t track = 0;
      while (track < tracks.size() && tracks[track] > spans_[i].begin) ++track;
      if (track == tracks.size()) tracks.push_back(extent_.begin);
      tracks[track] = spans_[i].end;
      tracks_[i] = static_cast<int>(track);
      rows_[lane].tracks = static_cast<int>(tracks.size());
      rows_[lane].cover(spans_[i]);
    }

    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (shows_ranks() && starts_rank(lane)) height_ += rank_gap;
      rows_[lane].y = top + height_;
      height_ += rows_[lane].tracks * track_height + lane_gap;
    }
  }

  void choose_colours() {
    kinds_.resize(spans_.size());
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      std::string_view const kind = kind_of(spans_[i]);
      std::size_t index = 0;
      while (index < colours_.size() && colours_[index].kind != kind) ++index;
      if (index == colours_.size()) colours_.push_back({kind});
      colours_[index].total += length_of(spans_[i]);
      kinds_[i] = index;
    }
  }

  static char const* colour(std::size_t index) {
    // Dark enough for white letters, and told apart by those who do not see red and green as different.
    constexpr char const* palette[] = {"#2563a8", "#c2570c", "#0f8a6c", "#a3387f", "#6d5fc7",
                                       "#8a6d0b", "#b3303b", "#3f7d20", "#4b5563", "#0e7490"};
    return palette[index % (sizeof palette / sizeof *palette)];
  }

  bool shows_ranks() const { return !lanes_.empty() && lanes_.front().rank != lanes_.back().rank; }
  bool starts_rank(std::size_t lane) const { return lane == 0 || lanes_[lane - 1].rank != lanes_[lane].rank; }
  std::int64_t duration() const { return extent_.end > extent_.begin ? extent_.end - extent_.begin : 1; }
  int left() const { return margin + label_width; }
  int plot_width() const {
    int const width = options_.width - left() - busy_width - margin;
    return width > 100 ? width : 100;
  }

  /// In hundredths of a pixel.
  std::int64_t scaled(std::int64_t time) const {
    return static_cast<std::int64_t>(static_cast<double>(time) / static_cast<double>(duration()) *
                                     plot_width() * 100);
  }

  std::string summary() const {
    if (spans_.empty()) return "no spans";
    return std::to_string(spans_.size()) + (spans_.size() == 1 ? " span, " : " spans, ") +
           length_text(duration());
  }
  void draw_lanes(std::string& svg) const {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      Row const& row = rows_[lane];
      int const height = row.tracks * track_height;
      if (shows_ranks() && starts_rank(lane)) {
        svg += text("rank", margin, row.y - 8, "rank " + std::to_string(lanes_[lane].rank));
      }
      svg += box("lane", std::to_string(left()), row.y, std::to_string(plot_width()), height, "/>\n");
      svg += text("end", left() - 10, row.y + height / 2 + 4, lanes_[lane].name());
      svg += text("note", left() + plot_width() + 10, row.y + height / 2 + 4,
                  std::to_string(row.busy * 100 / duration()) + " %");
    }
  }

  void draw_axis(std::string& svg, int bottom) const {
    if (spans_.empty()) return;
    TimeUnit const unit = unit_for(duration() / 2);  // so that the marks differ in it
    std::int64_t const distance = mark_distance(duration(), plot_width() / 50);
    for (std::int64_t time = 0; time <= duration(); time += distance) {
      std::int64_t const x = left() + scaled(time) / 100;
      svg += "<line class=\"grid\" x1=\"" + std::to_string(x) + ".5\" y1=\"" + std::to_string(top) +
             "\" x2=\"" + std::to_string(x) + ".5\" y2=\"" + std::to_string(bottom) + "\"/>\n";
      svg += text("mark middle", static_cast<int>(x), bottom + 16, time_text(time, unit));
    }
    svg += text("mark middle", left() + plot_width() / 2, bottom + 36, std::string("time in ") + unit.name);
    svg += text("mark", left() + plot_width() + 10, top - 8, "busy");
  }

  void draw_span(std::string& svg, std::size_t index) const {
    constexpr std::int64_t narrowest = 60;
    Span const& span = spans_[index];
    std::int64_t const length = length_of(span);
    std::int64_t const begin = left() * 100 + scaled(span.begin - extent_.begin);
    std::int64_t const width = scaled(length) > narrowest ? scaled(length) : narrowest;
    int const y = rows_[lane_index(span)].y + tracks_[index] * track_height + 2;

    std::string name = xml_text(span.name);
    std::string where = "step " + std::to_string(span.step);
    if (span.bucket >= 0) where += ", bucket " + std::to_string(span.bucket);
    if (span.micro_batch >= 0) where += ", micro-batch " + std::to_string(span.micro_batch);
    svg += box("span", decimal(begin, 2), y, decimal(width, 2), track_height - 4,
               std::string(" rx=\"2\" fill=\"") + colour(kinds_[index]) + "\"><title>" + name + "\n" + where +
                   "\nfrom " + length_text(span.begin - extent_.begin) + ", took " + length_text(length) +
                   "</title></rect>\n");

    std::int32_t const number = span.bucket >= 0 ? span.bucket : span.micro_batch;
    std::string const numbered = number >= 0 ? std::to_string(number) : "";
    constexpr std::int64_t letter = 610;  // hundredths of a pixel, on average
    std::int64_t const letters =
        static_cast<std::int64_t>(std::string_view{span.name}.size() + numbered.size()) + 1;
    bool const fits = letters * letter + 800 <= width;
    bool const number_fits = static_cast<std::int64_t>(numbered.size()) * letter + 500 <= width;
    if (!fits && (numbered.empty() || !number_fits)) return;
    std::string const inside = !fits ? numbered : numbered.empty() ? name : name + " " + numbered;
    svg += text("inside middle", static_cast<int>((begin + width / 2) / 100), y + 15, inside);
  }

  int legend_columns() const { return 1 + (plot_width() + busy_width - legend_column) / legend_column; }
  int legend_rows() const {
    return (static_cast<int>(colours_.size()) + legend_columns() - 1) / legend_columns();
  }
  void draw_legend(std::string& svg, int y) const {
    for (std::size_t i = 0; i < colours_.size(); ++i) {
      int const column = static_cast<int>(i) % legend_columns();
      int const line = y + legend_row * (static_cast<int>(i) / legend_columns());
      int const x = left() + legend_column * column;
      svg += box("key", std::to_string(x), line, "12", 12,
                 std::string(" rx=\"2\" fill=\"") + colour(i) + "\"/>\n");
      svg += text("name", x + 20, line + 10,
                  xml_text(colours_[i].kind) + "<tspan class=\"note\" dx=\"8\">" +
                      length_text(colours_[i].total) + "</tspan>");
    }
  }

  std::span<Span const> spans_;
  SvgOptions const& options_;
  Interval extent_;
  std::vector<Lane> lanes_;
  std::vector<Row> rows_;           // of each lane
  std::vector<int> tracks_;         // of each span
  std::vector<std::size_t> kinds_;  // of each span
  std::vector<Colour> colours_;     // of each kind
  int height_ = 0;
};

}  // namespace detail

/// The spans as a drawing that needs nothing else: a row for each worker and each stream of sums, a time
/// axis, a colour for each kind of work with a legend, what each bar is when one points at it, and the share
/// of time in which each row was busy.
///
/// Units: seconds, milliseconds, microseconds or nanoseconds, as the axis says.
inline std::string svg_timeline(std::span<Span const> spans, SvgOptions const& options = {}) {
  return detail::SvgTimeline{spans, options}.draw();
}

/// Writes such a drawing to a file.
///
/// Errors: FileError; then no file, or the old one, is there.
inline void write_svg(std::string const& path, std::span<Span const> spans, SvgOptions const& options = {}) {
  FileReplacement file{path};
  file.write(svg_timeline(spans, options));
  file.commit();
}

}  // namespace weir::inline v1
