#include "weir/compress/sparsifier_memory.hpp"

namespace {

struct Selecting {
  using consumes = weir::Dense;
  using produces = weir::Sparse;
  Selecting remembering(weir::SparsifierMemory const&) const { return *this; }
};

struct WithoutMemory {
  using consumes = weir::Dense;
  using produces = weir::Sparse;
};

struct OfAnotherForm {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  OfAnotherForm remembering(weir::SparsifierMemory const&) const { return *this; }
};

static_assert(weir::Sparsifier<Selecting>);
static_assert(!weir::Sparsifier<WithoutMemory>);
static_assert(!weir::Sparsifier<OfAnotherForm>);
static_assert(!weir::SparsifierMemory{}.is_kept());
static_assert(weir::SparsifierMemory{.kind = weir::SparsifierMemoryKind::momentum}.is_kept());

}
