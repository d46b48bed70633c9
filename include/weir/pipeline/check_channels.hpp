#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/validation.hpp"

namespace weir::inline v1::detail {

/// Whether the explicit communication of a table is complete: between stages on different workers every
/// output is sent after it was computed, and received before it is needed.
class ChannelCheck {
 public:
  constexpr ChannelCheck(TableView const& table, OperationIndex const& index, Validation& result)
      : table_(table), index_(index), result_(result) {}

  constexpr void run() {
    if (!has_communication()) return;
    find();
    for (std::uint32_t plane = 0; plane < index_.directions(); ++plane) {
      for (std::uint32_t stage = 0; stage < table_.stages(); ++stage) {
        for (std::uint32_t j = 0; j < table_.micro_batches(); ++j) {
          check_cell(static_cast<Direction>(plane), stage, j);
        }
      }
    }
    check_leftovers();
  }

 private:
  static constexpr std::uint32_t none = OperationIndex::none;

  constexpr bool has_communication() const {
    for (Operation const& operation : table_.operations()) {
      if (is_communication(operation)) return true;
    }
    return false;
  }

  constexpr std::size_t key(OperationKind kind, Direction direction, std::uint32_t stage,
                            std::uint32_t j) const {
    std::size_t const plane = index_.directions() == 2 && direction == Direction::reverse ? 1 : 0;
    std::size_t const channel =
        static_cast<std::size_t>(kind) - static_cast<std::size_t>(OperationKind::send_forward);
    return ((channel * index_.directions() + plane) * table_.stages() + stage) * table_.micro_batches() + j;
  }

  constexpr void find() {
    place_.assign(std::size_t{4} * index_.directions() * table_.stages() * table_.micro_batches(), none);
    is_needed_.assign(table_.operations().size(), 0);
    for (std::uint32_t worker = 0; worker < table_.workers(); ++worker) {
      std::size_t position = table_.begin_of(worker);
      for (Operation const& operation : table_.worker(worker)) {
        if (is_communication(operation)) enter(operation, static_cast<std::uint32_t>(position), worker);
        ++position;
      }
    }
  }
  constexpr void enter(Operation const& operation, std::uint32_t position, std::uint32_t worker) {
    if (!index_.has(operation)) return;
    std::uint32_t& place =
        place_[key(operation.kind, operation.direction, operation.stage, operation.micro_batch)];
    if (place == none) {
      place = position;
      return;
    }
    is_needed_[position] = 1;  // no second complaint about it
    result_.add(
        {ViolationCode::duplicate, ViolationKind::repeated, operation, {}, table_.worker_at(place), worker});
  }

  constexpr void check_cell(Direction way, std::uint32_t stage, std::uint32_t j) {
    bool const has_next = stage + 1 < table_.stages() && is_remote(way, stage, stage + 1);
    if (has_next && index_.forward(way, stage, j) != none)
      check_send(OperationKind::send_forward, way, stage, j, index_.forward(way, stage, j));
    if (has_next && index_.forward(way, stage + 1, j) != none)
      check_receive(OperationKind::receive_forward, way, stage + 1, j, index_.forward(way, stage + 1, j));
    if (has_next && index_.input(way, stage + 1, j) != none)
      check_send(OperationKind::send_backward, way, stage + 1, j, index_.input(way, stage + 1, j));
    if (has_next && index_.input(way, stage, j) != none)
      check_receive(OperationKind::receive_backward, way, stage, j, index_.input(way, stage, j));
  }
  constexpr bool is_remote(Direction way, std::uint32_t stage, std::uint32_t other) const {
    return index_.worker_of(way, stage) != index_.worker_of(way, other);
  }

  constexpr void check_send(OperationKind kind, Direction way, std::uint32_t stage, std::uint32_t j,
                            std::size_t producer) {
    std::size_t const sent = claim(kind, way, stage, j, producer);
    // Behind the whole of a pair that the producer begins.
    std::size_t const done = producer + (table_.operations()[producer].kind == OperationKind::pair ? 1 : 0);
    if (sent == none || sent > done) return;
    complain(ViolationKind::too_early, sent, producer);
  }
  constexpr void check_receive(OperationKind kind, Direction way, std::uint32_t stage, std::uint32_t j,
                               std::size_t consumer) {
    std::size_t const received = claim(kind, way, stage, j, consumer);
    bool const is_second = consumer > 0 && table_.operations()[consumer - 1].kind == OperationKind::pair;
    if (received == none || received < consumer - (is_second ? 1 : 0)) return;
    complain(ViolationKind::too_late, received, consumer);
  }

  /// Where the message of an operation is, on that operation's worker.
  constexpr std::size_t claim(OperationKind kind, Direction way, std::uint32_t stage, std::uint32_t j,
                              std::size_t operation) {
    std::uint32_t const worker = table_.worker_at(operation);
    std::uint32_t const place = place_[key(kind, way, stage, j)];
    if (place != none && table_.worker_at(place) == worker) {
      is_needed_[place] = 1;
      return place;
    }
    Operation const missing{kind, way, static_cast<std::uint16_t>(stage), j};
    result_.add({ViolationCode::channel, ViolationKind::not_sent, missing, {}, worker, worker});
    return none;
  }
  constexpr void complain(ViolationKind kind, std::size_t message, std::size_t computed) {
    result_.add({ViolationCode::channel, kind, table_.operations()[message], table_.operations()[computed],
                 table_.worker_at(message), table_.worker_at(message)});
  }

  constexpr void check_leftovers() {
    for (std::size_t i = 0; i < is_needed_.size(); ++i) {
      if (is_needed_[i] != 0 || !is_communication(table_.operations()[i])) continue;
      result_.add({ViolationCode::channel,
                   ViolationKind::no_partner,
                   table_.operations()[i],
                   {},
                   table_.worker_at(i),
                   table_.worker_at(i)});
    }
  }

  TableView table_;
  OperationIndex const& index_;
  Validation& result_;
  std::vector<std::uint32_t> place_;
  std::vector<std::uint8_t> is_needed_;  // each operation, if it is communication
};

}  // namespace weir::inline v1::detail
