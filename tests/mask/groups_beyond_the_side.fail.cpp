// expect: GroupOptions.16, 784, 32, 1, 0.*"order", n,.*, the smaller side|checked\(.16, 784, 32.\)
#include "weir/mask/design/group.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::GroupDesign({16, 784, 16}).nnz();
#else
inline constexpr std::size_t entries = weir::GroupDesign({16, 784, 32}).nnz();
#endif
