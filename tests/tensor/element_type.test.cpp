#include "weir/tensor/element_type.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <type_traits>

using weir::ElementType;

static_assert(weir::element_type_of<float> == ElementType::float32);
static_assert(weir::element_type_of<double const> == ElementType::float64);
static_assert(weir::element_type_of<weir::half> == ElementType::float16);
static_assert(weir::element_type_of<weir::bfloat16> == ElementType::bfloat16);

TEST_CASE("the type known at run time leads back to the C++ type, its size and its name") {
  for (ElementType type :
       {ElementType::float16, ElementType::bfloat16, ElementType::float32, ElementType::float64}) {
    CAPTURE(weir::name_of(type));
    std::size_t const size =
        weir::visit_element(type, []<class Element>(Element*) { return sizeof(Element); });
    CHECK(size == weir::size_of(type));
    CHECK(type ==
          weir::visit_element(type, []<class Element>(Element*) { return weir::element_type_of<Element>; }));
  }
  CHECK(weir::name_of(ElementType::bfloat16) == std::string("bfloat16"));
  CHECK(weir::name_of(ElementType::float64) == std::string("float64"));
}
