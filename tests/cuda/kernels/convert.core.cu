#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/convert.cuh"

namespace {

using weir::bfloat16;
using weir::half;

template <class From, class To>
void check_conversion() {
  using Convert = weir::detail::DeviceConvert<From, To>;
  oracle::Numbers numbers(1);
  for (std::size_t size : {1u, 15u, 129u, 5003u}) {
    auto const from = numbers.vector<From>(size);
    for (std::size_t head = 0; head < Convert::width; ++head) {
      std::vector<To> wide(size), narrow(size);
      Convert const to_wide{from.data(), wide.data()}, to_narrow{from.data(), narrow.data()};
      play::tiles<Convert::width>(to_wide, weir::detail::Partition::of(size, Convert::width, head));
      play::tiles<1>(to_narrow, weir::detail::Partition::of(size, 1, 0));
      for (std::size_t i = 0; i < size; ++i) {
        To const expected = weir::detail::convert<To>(from[i]);
        CHECK(oracle::bits_of(wide[i]) == oracle::bits_of(expected));
        CHECK(oracle::bits_of(narrow[i]) == oracle::bits_of(expected));
      }
    }
  }
}

}  // namespace

TEST_CASE("vectors are converted element by element") {
  check_conversion<half, float>();
  check_conversion<float, half>();
  check_conversion<float, bfloat16>();
  check_conversion<half, bfloat16>();
  check_conversion<double, half>();
  check_conversion<bfloat16, double>();
  check_conversion<float, double>();
  check_conversion<double, float>();
}
