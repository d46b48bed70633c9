#include "chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "weir/trace/text.hpp"

namespace weir_plan {
namespace {

struct Curve {
  char const* name;
  char const* colour;
  std::vector<weir::Plan> plans = {};  // by batch, ascending
};

/// Every multiple of the smallest local batch for which there is a plan, thinned out to a few hundred.
Curve make_curve(char const* name, char const* colour, weir::TimeModel const& model,
                 weir::PlanRequest request) {
  constexpr std::size_t most_points = 512;
  std::size_t step = request.local_batch;
  for (auto const& batch : model.device_of(0).local_batches) {
    if (request.local_batch == 0 && (step == 0 || batch.size < step)) step = batch.size;
  }
  step *= 1 + request.global_batch / step / most_points;
  Curve curve{name, colour};
  for (std::size_t batch = step; batch <= request.global_batch; batch += step) {
    weir::PlanRequest at = request;
    at.global_batch = batch;
    weir::Plan plan = solve(model, at);
    if (plan.feasible) curve.plans.push_back(std::move(plan));
  }
  return curve;
}

class Chart {
 public:
  Chart(std::vector<Curve> curves, std::size_t most_samples)
      : curves_(std::move(curves)), batch_mark_(mark(static_cast<double>(most_samples))) {
    double fastest = 1;
    for (Curve const& curve : curves_) {
      for (weir::Plan const& plan : curve.plans) fastest = std::max(fastest, plan.samples_per_second());
    }
    speed_mark_ = mark(fastest);
    batches_ = std::ceil(static_cast<double>(most_samples) / batch_mark_) * batch_mark_;
    speeds_ = std::ceil(fastest / speed_mark_) * speed_mark_;
  }

  std::string draw(std::string const& title) const {
    std::string svg = std::string(head) + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    svg += text("title", left, 28, weir::detail::xml_text(title));
    for (double batch = 0; batch <= batches_; batch += batch_mark_) {
      svg += line(x(batch), top, x(batch), bottom);
      svg += text("middle", x(batch), bottom + 18, number(batch));
    }
    for (double speed = 0; speed <= speeds_; speed += speed_mark_) {
      svg += line(left, y(speed), right, y(speed));
      svg += text("end", left - 8, y(speed) + 4, number(speed));
    }
    svg += text("middle", (left + right) / 2, bottom + 40, "global batch [samples]");
    svg += text("", left, top - 8, "throughput [samples/s]");
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      svg += draw_curve(curves_[i]);
      double const at = bottom - 20.0 * static_cast<double>(curves_.size() - i);
      svg += "<rect x=\"" + number(right - 180) + "\" y=\"" + number(at - 10) +
             "\" width=\"12\" height=\"12\" fill=\"" + curves_[i].colour + "\"/>\n";
      svg += text("", right - 162, at, curves_[i].name);
    }
    return svg + "</svg>\n";
  }

 private:
  static constexpr char const* head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"460\" viewBox=\"0 0 800 460\">\n"
      "<style>\n"
      "text { font: 12px system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #374151; }\n"
      ".title { font-size: 16px; font-weight: 600; }\n"
      ".end { text-anchor: end; }\n"
      ".middle { text-anchor: middle; }\n"
      ".grid { stroke: #e5e7eb; }\n"
      ".curve { fill: none; stroke-width: 2; }\n"
      "</style>\n";
  static constexpr double left = 70;
  static constexpr double right = 776;
  static constexpr double top = 66;
  static constexpr double bottom = 400;

  /// 1, 2 or 5 times a power of ten, of which up to ten fit.
  static double mark(double most) {
    double distance = std::pow(10, std::floor(std::log10(most / 10)));
    for (double const factor : {2.0, 2.5, 2.0}) {
      if (most / distance > 10) distance *= factor;
    }
    return distance;
  }

  static std::string number(double value) {
    std::string const text = weir::detail::decimal(std::llround(value * 10), 1);
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  }
  static std::string text(char const* style_class, double x, double y, std::string const& content) {
    return std::string("<text class=\"") + style_class + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
           "\">" + content + "</text>\n";
  }
  static std::string line(double x1, double y1, double x2, double y2) {
    return "<line class=\"grid\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
           "\" y2=\"" + number(y2) + "\"/>\n";
  }

  double x(double batch) const { return left + (right - left) * batch / batches_; }
  double y(double speed) const { return bottom - (bottom - top) * speed / speeds_; }

  std::string draw_curve(Curve const& curve) const {
    std::string points;
    std::string dots;
    for (weir::Plan const& plan : curve.plans) {
      double const at = x(static_cast<double>(plan.global_batch));
      double const height = y(plan.samples_per_second());
      points += (points.empty() ? "" : " ") + number(at) + "," + number(height);
      dots += "<circle cx=\"" + number(at) + "\" cy=\"" + number(height) + "\" r=\"2.5\" fill=\"" +
              curve.colour + "\"><title>" + std::to_string(plan.global_batch) + " samples, " +
              number(plan.samples_per_second()) + " samples/s</title></circle>\n";
    }
    return std::string("<polyline class=\"curve\" stroke=\"") + curve.colour + "\" points=\"" + points +
           "\"/>\n" + dots;
  }

  std::vector<Curve> curves_;
  double batch_mark_;
  double speed_mark_ = 1;
  double batches_ = 1;  // at the right end
  double speeds_ = 1;   // at the top
};

}  // namespace

std::string throughput_chart(weir::TimeModel const& model, weir::PlanRequest const& request) {
  weir::PlanRequest equal = request;
  equal.equal_shares = true;
  std::vector<Curve> curves;
  curves.push_back(make_curve("planned", "#2563a8", model, request));
  curves.push_back(make_curve("equal shares", "#c2570c", model, equal));
  std::string const& name = model.profile().model;
  std::string title = (name.empty() ? "" : name + " on ") + std::to_string(model.ranks());
  return Chart(std::move(curves), request.global_batch)
      .draw(title + (model.ranks() == 1 ? " device" : " devices"));
}

}  // namespace weir_plan
