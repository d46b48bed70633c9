#pragma once

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "../../examples/apps/weir_sparsify/npy.hpp"
#include "check_line.hpp"

namespace weir_test {

/// Any bytes are either refused with an NpyError of one short line, or lie inside of the file as their header
/// says. Returns what is wrong with them; empty: nothing.
inline std::string refusal(std::string_view bytes, bool is_bfloat16) {
  try {
    weir_sparsify::NpyContent const content = weir_sparsify::parse_npy(bytes, is_bfloat16);
    char const* const end = bytes.data() + bytes.size();
    bool const is_inside = std::less_equal<>{}(bytes.data(), content.data.data()) &&
                           content.data.data() + content.data.size() == end;
    if (!is_inside || content.data.size() != content.size * weir::size_of(content.type)) std::abort();
    return {};
  } catch (weir_sparsify::NpyError const& error) {
    return checked_line(error.what(), 200);
  }
}

}  // namespace weir_test
