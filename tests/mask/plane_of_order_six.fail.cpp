// expect: AffineGeometry\(6, 2\)'.*"order"\), order, .*"not a prime power"
// expect: check_parameter\(&"order".0., 6, &"not a prime power"
#include "weir/mask/design/affine_geometry.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::AffineGeometry(5).nnz();
#else
inline constexpr std::size_t entries = weir::AffineGeometry(6).nnz();
#endif
