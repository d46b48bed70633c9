// expect: QuarticResidueDesign\(41\)'.*"order"\), order, .*"a quartic residue design needs a prime
// expect: \(&"order".0., 41, &"a quartic residue design needs a prime
#include "weir/mask/design/quartic_residue.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::QuarticResidueDesign(37).nnz();
#else
inline constexpr std::size_t entries = weir::QuarticResidueDesign(41).nnz();
#endif
