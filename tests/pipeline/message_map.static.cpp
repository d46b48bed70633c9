#include "weir/pipeline/message_map.hpp"

#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using namespace weir;

constexpr bool maps() {
  constexpr auto table = weir::table<OneFOneB, 3, 1>();  // 0F 0B | 1F 1B | 2F 2B
  constexpr SkipEdge skips[] = {{.from = 0, .to = 2}};
  TableView const view = table;
  OperationIndex const index(view);
  detail::MessageMap const map(view, index, skips);
  auto const& all = view.operations();
  // What is sent over a link is what the other end receives.
  bool const is_consistent = map.output(all[0], 0, 0, 0).id == map.input(all[2], 1, 0).id &&
                             map.output(all[0], 0, 0, 1).id == map.input(all[4], 2, 1).id &&
                             map.output(all[5], 5, 2, 0).id == map.input(all[3], 1, 0).id &&
                             map.output(all[5], 5, 2, 1).id == map.input(all[1], 0, 1).id;
  bool const has_ends = map.input(all[0], 0, 0).id == detail::Message::none &&
                        map.output(all[4], 4, 2, 0).id == detail::Message::none &&
                        map.output(all[2], 2, 1, 1).id == detail::Message::none;
  return is_consistent && has_ends && map.output(all[0], 0, 0, 1).peer == 2 &&
         map.input(all[4], 2, 1).peer == 0 && map.producer_of(map.output(all[5], 5, 2, 1).id) == 5 &&
         map.links() == 2 && map.count() == 12;
}
static_assert(maps());

}  // namespace
