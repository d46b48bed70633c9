// expect: TwinPrimeDesign\(13\)'.*"order"\), order, .*"a twin prime design needs odd prime powers
// expect: \(&"order".0., 13, &"a twin prime design needs odd prime powers
#include "weir/mask/design/twin_prime.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::TwinPrimeDesign(11).nnz();
#else
inline constexpr std::size_t entries = weir::TwinPrimeDesign(13).nnz();
#endif
