// expect: SteinerTripleSystem\(11\)'.*"inputs"\), inputs, .*"a Steiner triple system needs 6t \+ 1 or 6t \+ 3
// expect: \(&"inputs".0., 11, &"a Steiner triple system needs 6t \+ 1 or 6t \+ 3, from 7 to 65535"
#include "weir/mask/design/steiner_triple.hpp"

#ifdef WEIR_FAIL_CONTROL
inline constexpr std::size_t entries = weir::SteinerTripleSystem(13).nnz();
#else
inline constexpr std::size_t entries = weir::SteinerTripleSystem(11).nnz();
#endif
