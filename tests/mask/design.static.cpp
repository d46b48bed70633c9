#include "weir/mask/design.hpp"

#include <cstddef>

#include "weir/mask/certificate.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/derived.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/permuted.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/quartic_residue.hpp"
#include "weir/mask/design/residual.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/mask/feasibility.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/lambda_histogram.hpp"

namespace {

using namespace weir;

// Small designs and their certificates are worked out by the compiler.
static_assert(certify(AffineGeometry(2)) == DesignParameters{4, 6, 3, 2, 1});
static_assert(certify(AffineGeometry(3)) == DesignParameters{9, 12, 4, 3, 1});
static_assert(certify(AffineGeometry(4)) == DesignParameters{16, 20, 5, 4, 1});
static_assert(certify(ProjectiveGeometry(2)) == DesignParameters{7, 7, 3, 3, 1});
static_assert(certify(ProjectiveGeometry(3)) == DesignParameters{13, 13, 4, 4, 1});
static_assert(certify(ProjectiveGeometry(4)) == DesignParameters{21, 21, 5, 5, 1});
static_assert(certify(PaleyDesign(7)) == DesignParameters{7, 7, 3, 3, 1});
static_assert(certify(PaleyDesign(11)) == DesignParameters{11, 11, 5, 5, 2});
static_assert(certify(AffineGeometry(2, 3)) == DesignParameters{8, 14, 7, 4, 3});
static_assert(certify(ProjectiveGeometry(2, 3)) == DesignParameters{15, 15, 7, 7, 3});
static_assert(certify(QuarticResidueDesign(37)) == DesignParameters{37, 37, 9, 9, 2});
static_assert(certify(SteinerTripleSystem(7)) == DesignParameters{7, 7, 3, 3, 1});
static_assert(certify(SteinerTripleSystem(9)) == DesignParameters{9, 12, 4, 3, 1});
static_assert(certify(TwinPrimeDesign(3)) == DesignParameters{15, 15, 7, 7, 3});
static_assert(certify(complement(AffineGeometry(3))) == DesignParameters{9, 12, 8, 6, 5});
static_assert(certify(residual(PaleyDesign(11))) == DesignParameters{6, 10, 5, 3, 2});
static_assert(certify(derived(PaleyDesign(11))) == DesignParameters{5, 10, 4, 2, 1});
static_assert(certify(residual(ProjectiveGeometry(4))) == DesignParameters{16, 20, 5, 4, 1});
static_assert(certify(complement(residual(PaleyDesign(7)))) == DesignParameters{4, 6, 3, 2, 1});
static_assert(certify(dual(ProjectiveGeometry(3))) == DesignParameters{13, 13, 4, 4, 1});
static_assert(certify(dual(AffineGeometry(3))) ==
              DesignParameters{});  // two lines may have no point in common
static_assert(certify(permuted(AffineGeometry(2), {5, 3, 1, 0, 2, 4}, {3, 1, 0, 2})) ==
              DesignParameters{4, 6, 3, 2, 1});
static_assert(certify(CyclicDesign(ProjectiveGeometry(3)).copy(5)) == DesignParameters{13, 13, 4, 4, 1});
static_assert(certify(IndexedDesign<>::of(AffineGeometry(3))) == DesignParameters{9, 12, 4, 3, 1});
static_assert(certify(TiledDesign(AffineGeometry(2), 12, 8, 2)) ==
              DesignParameters{});  // inputs of a tile meet more often
static_assert(certify(GroupDesign{{8, 8, 2}}) ==
              DesignParameters{});  // not balanced: pairs of a group never meet

static_assert(GroupDesign{{4, 4, 2}}.column(3, 1) == 2);
static_assert(GroupDesign{{9, 9, 3}}.column(6, 2) == 7);  // 2 times 2 is 1

// So are degrees and meetings of designs that are not balanced, fields, and some verdicts.
static_assert(lambda_histogram(GroupDesign{{16, 16, 4}}).size() == 2);
static_assert(lambda_histogram(GroupDesign{{16, 16, 4}})[0] == LambdaCount{0, 24});
static_assert(lambda_histogram(GroupDesign{{16, 16, 4}})[1] == LambdaCount{1, 96});
static_assert(row_degrees(GroupDesign{{10, 10, 4}}) == DegreeRange{2, 3});
static_assert(GaloisField(4).multiply(2, 3) == 1 && GaloisField(9).modulus() == 14);
static_assert(hilbert_symbol(6, -1, 3) == -1);  // no plane of order 6

struct Diagonal {
  constexpr std::size_t inputs() const { return 3; }
  constexpr std::size_t outputs() const { return 3; }
  constexpr std::size_t nnz() const { return 3; }
  constexpr std::size_t value_count() const { return 3; }
  constexpr std::size_t row_degree(std::size_t) const { return 1; }
  constexpr std::size_t column_degree(std::size_t) const { return 1; }
  constexpr std::size_t column(std::size_t row, std::size_t) const { return row; }
  constexpr std::size_t row(std::size_t column, std::size_t) const { return column; }
  constexpr std::size_t value_index(std::size_t row, std::size_t) const { return row; }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t) const { return column; }
  constexpr bool contains(std::size_t row, std::size_t column) const { return row == column; }
};

static_assert(Design<Diagonal> && !SearchableDesign<Diagonal>);
static_assert(!Design<int>);

}  // namespace
