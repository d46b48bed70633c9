// expect: GroupOptions.64, 64, 8, 8, 0.*"levels", options.levels,|checked\(.64, 64, 8, 8.\)
#include "weir/mask/design/group.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::GroupDesign({64, 64, 8, 7}).nnz();
#else
inline constexpr std::size_t entries = weir::GroupDesign({64, 64, 8, 8}).nnz();
#endif
