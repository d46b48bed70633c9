// expect: check_tiles\(.*"outputs".*" make up "|check_tiles\(&"outputs".0., 15, 6, 3\)
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/tiled.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::TiledDesign(weir::AffineGeometry(2), 17, 12, 3).nnz();
#else
inline constexpr std::size_t entries = weir::TiledDesign(weir::AffineGeometry(2), 15, 12, 3).nnz();
#endif
