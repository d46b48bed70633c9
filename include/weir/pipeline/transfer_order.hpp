#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/issue_order.hpp"
#include "weir/pipeline/message_map.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"

namespace weir::inline v1 {

/// The messages of a table between workers at different places, in the order in which every place enqueues
/// both sides of them: each right behind the operation that sends it, in an issue order. So the k-th send
/// from one place to another meets the k-th receive, and a transfer that waits for its other side waits only
/// for what every place has enqueued before it: nothing deadlocks, even if all transfers of a place are one
/// queue.
///
/// Two opposite messages that are sent at the same time go together.
/// Cost: linear in the operations, and the number of places for each message.
class TransferOrder {
 public:
  struct Message {
    std::uint32_t producer = 0;  ///< position in the table
    std::uint32_t consumer = 0;
    std::uint32_t from = 0;  ///< worker
    std::uint32_t to = 0;
    std::uint32_t link = 0;  ///< 0: between neighbours; k: along skip edge k - 1
    bool is_forward = true;
    bool goes_with_next = false;
  };

  TransferOrder() = default;
  /// `places`: of each worker.
  TransferOrder(TableView const& table, IssueOrder const& order, std::span<std::size_t const> places,
                std::span<SkipEdge const> skips = {}) {
    Finder finder{table, order, places};
    finder.find(skips);
    finder.pair();
    finder.list(*this);
  }

  /// Those that are enqueued behind an entry of the issue order.
  std::span<Message const> after(std::size_t entry) const {
    return std::span<Message const>(messages_).subspan(begins_[entry], begins_[entry + 1] - begins_[entry]);
  }
  std::span<Message const> messages() const { return messages_; }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  struct Found : Message {
    std::size_t entry = 0;       // that sends it
    std::size_t partner = none;  // that it goes with
  };

  struct Finder {
    void find(std::span<SkipEdge const> skips) {
      OperationIndex const index(table);
      detail::MessageMap const map(table, index, skips);
      entry_of.resize(table.operations().size());
      for (std::size_t entry = 0; entry < order.entries().size(); ++entry) {
        for (std::size_t k = 0; k < order.entries()[entry].count; ++k) entry_of[position(entry, k)] = entry;
      }
      std::vector<std::uint32_t> consumer(map.count(), 0);
      for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
        std::size_t at = table.begin_of(worker);
        for (Operation const& operation : table.worker(worker)) {
          for (std::uint32_t link = 0; link < map.links(); ++link) {
            detail::Message const message = map.input(operation, worker, link);
            if (message.id < detail::Message::lost) consumer[message.id] = static_cast<std::uint32_t>(at);
          }
          ++at;
        }
      }
      for (std::size_t entry = 0; entry < order.entries().size(); ++entry) {
        std::uint32_t const worker = order.entries()[entry].worker;
        for (std::size_t k = 0; k < order.entries()[entry].count; ++k) {
          std::size_t const at = position(entry, k);
          Operation const& operation = table.operations()[at];
          for (std::uint32_t link = 0; link < map.links(); ++link) {
            detail::Message const message = map.output(operation, at, worker, link);
            if (message.id >= detail::Message::lost || places[worker] == places[message.peer]) continue;
            Found one;
            one.producer = static_cast<std::uint32_t>(at);
            one.consumer = consumer[message.id];
            one.from = worker;
            one.to = message.peer;
            one.link = link;
            one.is_forward = is_forward(operation);
            one.entry = entry;
            found.push_back(one);
          }
        }
      }
    }

    /// A message may wait for the next one of its kind that concerns one of its places.
    void pair() {
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].partner != none) continue;
        std::size_t const from = places[found[i].from];
        std::size_t const to = places[found[i].to];
        for (std::size_t j = i + 1; j < found.size(); ++j) {
          Found& next = found[j];
          std::size_t const other_from = places[next.from];
          std::size_t const other_to = places[next.to];
          bool const is_near = other_from == from || other_from == to || other_to == from || other_to == to;
          if (next.is_forward != found[i].is_forward || !is_near) continue;
          bool const is_opposite = other_from == to && other_to == from;
          bool const is_same_time = order.entries()[next.entry].end == order.entries()[found[i].entry].end;
          if (is_opposite && is_same_time && entry_of[found[i].consumer] > next.entry) {
            found[i].partner = j;
            next.partner = i;
          }
          break;
        }
      }
    }

    void list(TransferOrder& result) const {
      std::size_t next = 0;
      for (std::size_t entry = 0; entry < order.entries().size(); ++entry) {
        result.begins_.push_back(result.messages_.size());
        for (; next < found.size() && found[next].entry == entry; ++next) {
          std::size_t const partner = found[next].partner;
          if (partner != none && partner > next) continue;  // comes with it
          if (partner != none) {
            result.messages_.push_back(found[partner]);
            result.messages_.back().goes_with_next = true;
          }
          result.messages_.push_back(found[next]);
        }
      }
      result.begins_.push_back(result.messages_.size());
    }

    std::size_t position(std::size_t entry, std::size_t k) const {
      return table.begin_of(order.entries()[entry].worker) + order.entries()[entry].first + k;
    }

    TableView table;
    IssueOrder const& order;
    std::span<std::size_t const> places;
    std::vector<std::size_t> entry_of = {};  // by position
    std::vector<Found> found = {};
  };

  std::vector<Message> messages_;
  std::vector<std::size_t> begins_;  // by entry, and the end
};

}  // namespace weir::inline v1
