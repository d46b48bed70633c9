#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/schedule_trace.hpp"
#include "weir/pipeline/timeline.hpp"
#include "weir/trace/text.hpp"

namespace weir::inline v1 {

/// How a schedule is drawn.
struct ScheduleSvgOptions {
  std::string title = "schedule";
  std::string unit = "units of time";
  int width = 1200;  ///< of the whole drawing, in pixels
};

namespace detail {

/// Draws a timeline as a grid: a row per worker, time from left to right.
class ScheduleDrawing {
 public:
  ScheduleDrawing(Timeline const& timeline, ScheduleSvgOptions const& options)
      : timeline_(timeline),
        operations_(timeline.table.operations()),
        options_(options),
        makespan_(timeline.makespan_ticks() > 0 ? timeline.makespan_ticks() : 1) {}

  std::string draw() const {
    int const bottom = top + static_cast<int>(timeline_.table.workers()) * row_height;
    std::string const width = std::to_string(options_.width);
    std::string const height = std::to_string(bottom + 92);
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                      "\" viewBox=\"0 0 " + width + " " + height + "\">\n" + style;
    svg += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    svg += label("title", margin, 30, xml_text(options_.title));
    for (std::uint32_t worker = 0; worker < timeline_.table.workers(); ++worker) draw_worker(svg, worker);
    draw_axis(svg, bottom);
    draw_legend(svg, bottom + 66);
    return svg + "</svg>\n";
  }

 private:
  static constexpr int margin = 24;
  static constexpr int left = 110;
  static constexpr int top = 54;
  static constexpr int row_height = 30;
  static constexpr int bar_height = 24;
  static constexpr char const* style =
      "<style>\n"
      "text { font: 12px system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: "
      "#374151; }\n"
      ".paper { fill: #ffffff; }\n"
      ".title { font-size: 17px; font-weight: 600; fill: #111827; }\n"
      ".cell { font-size: 11px; fill: #ffffff; text-anchor: middle; pointer-events: none; }\n"
      ".mark { fill: #6b7280; text-anchor: middle; }\n"
      ".idle { fill: #f3f4f6; }\n"
      ".line { stroke: #9ca3af; stroke-width: 1; }\n"
      ".box { stroke: #ffffff; stroke-width: 0.6; }\n"
      ".F { fill: #2563eb; }\n.B { fill: #b45309; }\n.I { fill: #0f766e; }\n.W { fill: #7c3aed; }\n"
      ".pair { fill: #be185d; }\n.other { fill: #4b5563; }\n.late { opacity: 0.75; }\n"
      "</style>\n";

  static std::string label(char const* style_class, int x, int y, std::string const& content) {
    return std::string("<text class=\"") + style_class + "\" x=\"" + std::to_string(x) + "\" y=\"" +
           std::to_string(y) + "\">" + content + "</text>\n";
  }
  /// Thousandths of a pixel.
  std::int64_t place(std::int64_t ticks) const {
    __extension__ typedef __int128 Wide;
    Wide const room = (options_.width - left - margin) * 1000;
    return left * 1000 + static_cast<std::int64_t>(Wide{ticks} * room / makespan_);
  }

  static std::string style_of(Operation const& operation) {
    if (operation.kind == OperationKind::pair) return "pair";
    return is_compute(operation) ? name_of(operation.kind) : "other";
  }

  void draw_worker(std::string& svg, std::uint32_t worker) const {
    int const y = top + static_cast<int>(worker) * row_height;
    svg += label("worker", margin, y + 17, "worker " + std::to_string(worker));
    svg += "<rect class=\"idle\" x=\"" + std::to_string(left) + "\" y=\"" + std::to_string(y) +
           "\" width=\"" + std::to_string(options_.width - left - margin) + "\" height=\"" +
           std::to_string(bar_height) + "\"/>\n";
    for (std::size_t i = timeline_.table.begin_of(worker);
         i < timeline_.table.begin_of(worker + std::size_t{1}); ++i) {
      if (is_second_of_pair(operations_, i) || timeline_.end[i] == timeline_.start[i]) continue;
      Operation const& operation = operations_[i];
      std::int64_t const x = place(timeline_.start[i]);
      std::int64_t const width = place(timeline_.end[i]) - x;
      // Later chunks and the reverse copy.
      bool const is_lighter =
          operation.direction == Direction::reverse || operation.stage >= timeline_.table.workers();
      svg += "<rect class=\"box " + style_of(operation) + (is_lighter ? " late" : "") + "\" x=\"" +
             decimal(x, 3) + "\" y=\"" + std::to_string(y) + "\" width=\"" + decimal(width, 3) +
             "\" height=\"" + std::to_string(bar_height) + "\"><title>" + slot_text(operations_, i) + ", " +
             text(timeline_.time(timeline_.start[i])) + " to " + text(timeline_.time(timeline_.end[i])) +
             ", version " + std::to_string(operation.version) + "</title></rect>\n";
      std::string const inside = cell_label(i);
      if (width > static_cast<std::int64_t>(inside.size()) * 6500) {
        svg += "<text class=\"cell\" x=\"" + decimal(x + width / 2, 3) + "\" y=\"" + std::to_string(y + 16) +
               "\">" + inside + "</text>\n";
      }
    }
  }

  std::string cell_label(std::size_t position) const {
    std::string cell = cell_text(operations_[position]);
    if (operations_[position].kind == OperationKind::pair) cell += "+" + cell_text(operations_[position + 1]);
    return cell;
  }

  void draw_axis(std::string& svg, int y) const {
    svg += "<line class=\"line\" x1=\"" + std::to_string(left) + "\" x2=\"" +
           std::to_string(options_.width - margin) + "\" y1=\"" + std::to_string(y + 4) + "\" y2=\"" +
           std::to_string(y + 4) + "\"/>\n";
    std::int64_t const step = mark_distance();
    for (std::int64_t at = 0; at <= makespan_ / timeline_.ticks_per_unit; at += step) {
      std::string const x = decimal(place(at * timeline_.ticks_per_unit), 3);
      svg += "<line class=\"line\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" + std::to_string(y + 4) +
             "\" y2=\"" + std::to_string(y + 9) + "\"/>\n<text class=\"mark\" x=\"" + x + "\" y=\"" +
             std::to_string(y + 24) + "\">" + std::to_string(at) + "</text>\n";
    }
    svg += label("worker", left, y + 44,
                 xml_text(options_.unit) + "; makespan " + text(timeline_.time(timeline_.makespan_ticks())));
  }

  /// Whole units between two marks, at most 20 marks.
  std::int64_t mark_distance() const {
    std::int64_t const units = makespan_ / timeline_.ticks_per_unit;
    std::int64_t distance = 1;
    while (units / distance > 20) distance *= distance % 3 == 1 ? 2 : 5;
    return distance;
  }

  void draw_legend(std::string& svg, int y) const {
    struct Entry {
      char const* style_class;
      char const* meaning;
    };
    constexpr Entry entries[] = {{"F", "F forward"},
                                 {"B", "B backward"},
                                 {"I", "I gradient of the input"},
                                 {"W", "W gradient of the weights"},
                                 {"pair", "F and B together"},
                                 {"idle", "idle"}};
    int x = left;
    for (Entry const& entry : entries) {
      svg += std::string("<rect class=\"") + entry.style_class + "\" x=\"" + std::to_string(x) + "\" y=\"" +
             std::to_string(y - 11) + "\" width=\"14\" height=\"14\"/>\n" +
             label("worker", x + 20, y, entry.meaning);
      x += 172;
    }
  }

  Timeline const& timeline_;
  std::span<Operation const> operations_;
  ScheduleSvgOptions const& options_;
  std::int64_t makespan_;
};

}  // namespace detail

/// The timeline as a drawing, with axis, units and legend.
inline std::string schedule_svg(Timeline const& timeline, ScheduleSvgOptions const& options = {}) {
  return detail::ScheduleDrawing(timeline, options).draw();
}

}  // namespace weir::inline v1
