// expect: check_tiles\(.*"outputs".*" make up "
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/tiled.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::TiledDesign(weir::AffineGeometry(2), 17, 12, 3).nnz();
#else
inline constexpr std::size_t entries = weir::TiledDesign(weir::AffineGeometry(2), 15, 12, 3).nnz();
#endif
