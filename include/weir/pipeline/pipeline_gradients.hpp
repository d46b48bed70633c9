#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/message_pool.hpp"
#include "weir/comm/pipeline_transport.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/parameter_unit.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/weight_parts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// What a lane's part of a gradient is of.
struct GradientCount {
  std::uint64_t samples = 0;
  std::uint64_t micro_batches = 0;  // of the whole update
};

/// The gradients of weights that several processes have, on their way from each lane that adds to one to the
/// other processes.
///
/// A lane's worker copies what it has added into a message for each of them. There the first worker that has
/// a lane of the part takes it in: while it waits, for whatever it is, and at the end of its row. So nobody
/// who sends has to wait for what comes to it. A message waits for the one before on its way to have left,
/// and is taken in when the gradient of an earlier update that lies in its place has been used.
template <Executor E, class Real>
class PipelineGradients {
 public:
  using Unit = ParameterUnit<E, Real>;

  /// Appends to `edges` one for each lane of a part and each other process that has the part.
  PipelineGradients(LaneMap const& lanes, std::vector<WeightPart> const& parts, PipelineWatch& watch,
                    std::vector<PipelineEdge>& edges)
      : lanes_(lanes), watch_(watch), edges_(edges), ways_of_(lanes.lanes()), intakes_(watch.workers()) {
    for (WeightPart const& part : parts) {
      for (std::uint32_t const lane : part.lanes) {
        for (std::size_t i = 0; i < part.lanes.size(); ++i) {
          if (!lanes.shares_memory(lane, part.lanes[i]) && is_first_of_its_process(part.lanes, i))
            add(part, lane, part.lanes[i], edges);
        }
      }
    }
  }

  bool is_none() const { return ways_.empty(); }

  /// The links of the messages' tags.
  std::uint32_t links() const {
    std::uint32_t links = 0;
    for (Way const& way : ways_) {
      if (way.link >= links) links = way.link + 1u;
    }
    return links;
  }

  /// A hash of the layout of the other messages, and of these.
  std::uint64_t layout(std::uint64_t hash) const {
    for (Way const& way : ways_) {
      for (std::uint64_t const number : {std::uint64_t{way.lane}, std::uint64_t{way.link},
                                         std::uint64_t{edges_[way.edge].to}, std::uint64_t{way.elements}})
        hash = layout_hash(hash, number);
    }
    return hash;
  }

  /// Takes the buffers, one at either end of a way. `executor_of(worker)` has the memory.
  template <class ExecutorOf, class Units>
  void allocate(ExecutorOf const& executor_of, Units const& units, std::size_t trailer_bytes) {
    for (Way& way : ways_) {
      PipelineEdge const& edge = edges_[way.edge];
      if (!lanes_.has_worker(edge.from) && !lanes_.has_worker(edge.to)) continue;
      for (auto const& member : units.of_lane(way.lane)) {
        if (member.link != way.link) continue;
        way.unit = member.unit;
        way.contributor = member.contributor;
      }
      std::size_t const bytes = way.bytes + trailer_bytes;
      memory_.emplace_back(executor_of(lanes_.has_worker(edge.from) ? edge.from : edge.to), bytes);
      way.pool = std::make_unique<MessagePool>(memory_.back().data(), bytes, 1);
    }
  }

  /// What has been taken. Units: bytes.
  std::size_t workspace_bytes() const {
    std::size_t bytes = 0;
    for (auto const& memory : memory_) bytes += memory.size();
    return bytes;
  }

  /// At the begin of a worker's run, in which `point` is its executor.
  void begin(PipelineRun const& run, std::size_t worker, E const& point) {
    Intake& intake = intakes_[worker];
    intake.point = &point;
    intake.run = run.number;
    intake.first_version = run.first_version;
    intake.periods = run.is_update && !run.is_evaluation ? run.periods : 0;
    for (std::size_t const index : intake.ways) ways_[index].period = 0;
  }

  /// Sends what a lane has added to the gradient of an update to the other processes that have the unit, each
  /// of which has room for it in time.
  template <class Transport>
  void send(Transport& transport, PipelineRun const& run, PipelineStep const& step, Unit const& unit,
            GradientCount const& count, std::size_t worker, E const& point) {
    for (std::size_t const index : ways_of_[step.lane]) {
      Way const& way = ways_[index];
      if (way.unit != &unit) continue;
      PipelineEdge const* const edge = &edges_[way.edge];
      watch_.wait(worker, WorkerWait::room, edge, [&] { return transport.try_flush(way.edge); });
      PipelineMessage const message{.tag = tag(way, run.number, step.operation.period),
                                    .data = way.pool->take(),
                                    .bytes = way.bytes,
                                    .home = way.pool.get()};
      pack(way, run.first_version + step.operation.period, count, message.data, point);
      watch_.wait(worker, WorkerWait::room, edge, [&] { return transport.try_send(way.edge, message); });
    }
  }

  /// Takes in what has come for a worker, which gives it to its update. Errors: what the transport and the
  /// recipe throw; `PipelineStopped` if an update has failed.
  template <class Transport>
  void take_in(Transport& transport, std::size_t worker) {
    Intake const& intake = intakes_[worker];
    for (std::size_t const index : intake.ways) {
      while (ways_[index].period < intake.periods && take_in(transport, intake, ways_[index])) {
      }
    }
  }

  /// At the end of a worker's run: waits until all of it has been taken in.
  void finish(std::size_t worker) {
    Intake const& intake = intakes_[worker];
    for (std::size_t const index : intake.ways) {
      Way const& way = ways_[index];
      watch_.wait(worker, WorkerWait::message, &edges_[way.edge],
                  [&] { return way.period == intake.periods; });
    }
  }

  /// Forgets what was under way. When no worker is at work.
  void clear() noexcept {
    for (Way& way : ways_) {
      if (way.pool != nullptr) way.pool->refill();
      way.arrival = {};
      way.is_posted = false;
    }
    for (Intake& intake : intakes_) intake.periods = 0;
  }

  /// Leaves the buffers to whoever may still use them.
  void abandon() noexcept { (void)new std::vector<Buffer<std::byte, E>>(std::move(memory_)); }

 private:
  /// Of what a lane adds, to a process.
  struct Way {
    std::size_t edge = 0;
    std::uint32_t lane = 0;
    std::uint16_t link = 0;
    std::size_t elements = 0;
    std::size_t bytes = 0;
    Unit* unit = nullptr;
    std::size_t contributor = 0;  // the lane, in the unit
    std::unique_ptr<MessagePool> pool = nullptr;
    std::uint32_t period = 0;  // this and the following are the receiver's: what comes next
    bool is_posted = false;
    PipelineMessage arrival = {};  // that has no room yet
  };
  /// What comes to a worker in a run.
  struct Intake {
    std::vector<std::size_t> ways = {};
    E const* point = nullptr;
    std::uint32_t run = 0;
    std::uint32_t periods = 0;
    std::uint64_t first_version = 0;
  };

  bool is_first_of_its_process(std::vector<std::uint32_t> const& lanes, std::size_t index) const {
    for (std::size_t i = 0; i < index; ++i) {
      if (lanes_.shares_memory(lanes[i], lanes[index])) return false;
    }
    return true;
  }

  void add(WeightPart const& part, std::uint32_t lane, std::uint32_t to, std::vector<PipelineEdge>& edges) {
    constexpr std::size_t line = 64;
    std::size_t const bytes = count_offset(part.elements()) + sizeof(GradientCount);
    edges.push_back({.from = lanes_.worker(lane),
                     .to = lanes_.worker(to),
                     .is_forward = false,
                     .is_weight_gradient = true,
                     .stage = static_cast<std::uint16_t>(lanes_.stage(lane)),
                     .link = part.link});
    ways_of_[lane].push_back(ways_.size());
    if (lanes_.is_here(to)) intakes_[lanes_.worker(to)].ways.push_back(ways_.size());
    ways_.push_back({.edge = edges.size() - 1,
                     .lane = lane,
                     .link = part.link,
                     .elements = part.elements(),
                     .bytes = (bytes + line - 1) / line * line});
  }

  /// Behind the gradient. Units: bytes.
  static constexpr std::size_t count_offset(std::size_t elements) {
    constexpr std::size_t size = sizeof(GradientCount);
    return (elements * sizeof(Real) + size - 1) / size * size;
  }

  MessageTag tag(Way const& way, std::uint32_t run, std::uint32_t period) const {
    return {.run = run,
            .micro_batch = period,
            .stage = static_cast<std::uint16_t>(lanes_.stage(way.lane)),
            .link = way.link,
            .is_forward = false,
            .direction = lanes_.direction(way.lane) == 0 ? Direction::forward : Direction::reverse,
            .is_weight_gradient = true};
  }

  template <class Transport>
  bool take_in(Transport& transport, Intake const& intake, Way& way) {
    MessageTag const due = tag(way, intake.run, way.period);
    if (!way.is_posted) {
      transport.post_receive(
          way.edge, due, {.tag = due, .data = way.pool->take(), .bytes = way.bytes, .home = way.pool.get()});
      way.is_posted = true;
    }
    if (way.arrival.home == nullptr && !transport.try_receive(way.edge, due, way.arrival)) return false;
    if (way.unit->has_failed()) {
      watch_.fail(nullptr);  // the recipe keeps it
      throw PipelineStopped{};
    }
    std::uint64_t const update = intake.first_version + way.period;
    if (!way.unit->has_room_for(update)) return false;
    GradientCount const count = unpack(way, update, way.arrival.data, *intake.point);
    release(way.arrival);
    way.is_posted = false;
    ++way.period;
    way.unit->arrive(update, way.contributor, count.samples, count.micro_batches, *intake.point);
    return true;
  }

  void pack(Way const& way, std::uint64_t update, GradientCount const& count, std::byte* data,
            E const& point) const {
    for_each_parameter(way, update, data,
                       [&](auto gradient, auto part) { copy(point, ViewOn<Real const, E>(gradient), part); });
    std::memcpy(data + count_offset(way.elements), &count, sizeof(count));
  }
  GradientCount unpack(Way const& way, std::uint64_t update, std::byte* data, E const& point) const {
    for_each_parameter(way, update, data,
                       [&](auto gradient, auto part) { copy(point, ViewOn<Real const, E>(part), gradient); });
    GradientCount count;
    std::memcpy(&count, data + count_offset(way.elements), sizeof(count));
    return count;
  }

  /// Calls `f(gradient, part)` with the gradient of each parameter, and its place in a message.
  template <class Function>
  static void for_each_parameter(Way const& way, std::uint64_t update, std::byte* data, Function const& f) {
    auto* place = reinterpret_cast<Real*>(data);
    for (std::size_t p = 0; p < way.unit->plan().parameters(); ++p) {
      ViewOn<Real, E> const gradient = way.unit->gradient(update, way.contributor, p);
      if (gradient.size() != 0) f(gradient, ViewOn<Real, E>(place, gradient.size()));
      place += gradient.size();
    }
  }

  LaneMap const& lanes_;
  PipelineWatch& watch_;
  std::vector<PipelineEdge> const& edges_;
  std::vector<Way> ways_;
  std::vector<std::vector<std::size_t>> ways_of_;  // by the lane that sends
  std::vector<Intake> intakes_;                    // by worker
  std::vector<Buffer<std::byte, E>> memory_;
};

}  // namespace weir::inline v1::detail
