#include "weir/stage/gradient_view.hpp"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("A gradient view remembers its element type and refuses another") {
  std::vector<float> values = {0, 1, 2, 3, 4, 5};
  weir::GradientView<weir::HostSpace> const view = weir::view(values);
  CHECK(view.type == weir::ElementType::float32);
  CHECK(view.as<float>().size() == 6);
  CHECK_THROWS_WITH_AS((void)view.as<weir::half>(), "a gradient of float32 was asked for as float16",
                       weir::ContractViolation);
}

TEST_CASE("Parts of a gradient view count elements, whatever their size") {
  std::vector<float> wide = {0, 1, 2, 3, 4, 5};
  std::vector<weir::bfloat16> narrow(6);
  weir::GradientView<weir::HostSpace> const wide_view = weir::view(wide);
  weir::GradientView<weir::HostSpace> const narrow_view = weir::view(narrow);
  CHECK(wide_view.part(2, 3).as<float>()[0] == 2.0f);
  CHECK(wide_view.part(2, 3).size == 3);
  CHECK(narrow_view.part(2, 3).as<weir::bfloat16>().data() == &narrow[2]);
}
