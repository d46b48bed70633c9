#include "weir/mask/design/owner.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/exec/cyclic_layout.hpp"

namespace {

/// The least that a design with tables has to say.
class Fano : public weir::DesignOwner<Fano> {
 public:
  weir::CyclicLayout layout() const { return {7, 3, set_.data()}; }

 private:
  std::vector<std::uint32_t> set_ = {1, 2, 4};
};

static_assert(weir::SearchableDesign<Fano>);

}  // namespace

TEST_CASE("DesignOwner: the functions of a design come from the layout, and a copy has tables of its own") {
  Fano const plane;
  Fano const copy = plane;
  CHECK(copy.layout().differences != plane.layout().differences);
  CHECK(fault_of(copy) == "");
  CHECK(copy.table_bytes() == 12);
}
