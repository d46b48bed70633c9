// expect: PaleyDesign\(13\)'.*"order"\), order, .*"a Paley design needs a prime power of the form 4i \+ 3
// expect: \(&"order".0., 13, &"a Paley design needs a prime power of the form 4i \+ 3, at least 7"
#include "weir/mask/design/paley.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::PaleyDesign(11).nnz();
#else
inline constexpr std::size_t entries = weir::PaleyDesign(13).nnz();
#endif
