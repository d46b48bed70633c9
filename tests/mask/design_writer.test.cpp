#include "weir/mask/design_writer.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir::GroupDesign;

/// Appends to a text.
struct To {
  std::string* text;
  void operator()(std::string const& piece) const { *text += piece; }
};

GroupDesign const small{{4, 4, 2}};

}  // namespace

TEST_CASE("write_matrix_market: 1-based, sorted by rows") {
  std::string text;
  weir::write_matrix_market(small, To{&text});
  CHECK(text ==
        "%%MatrixMarket matrix coordinate pattern general\n4 4 8\n1 1\n1 3\n2 2\n2 4\n3 1\n3 4\n4 2\n4 3\n");
}

TEST_CASE("write_dot: an edge per entry") {
  std::string text;
  weir::write_dot(small, To{&text});
  CHECK(
      text ==
      "graph {\ni0 -- o0;\ni2 -- o0;\ni1 -- o1;\ni3 -- o1;\ni0 -- o2;\ni3 -- o2;\ni1 -- o3;\ni2 -- o3;\n}\n");
}

TEST_CASE("write_matrix_svg: a square per entry, in one path") {
  std::string text;
  weir::write_matrix_svg(GroupDesign{{2, 3, 2}}, To{&text});
  CHECK(text ==
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 3 2\" "
        "shape-rendering=\"crispEdges\">\n<path d=\""
        "M0 0h1v1h-1zM1 1h1v1h-1zM2 1h1v1h-1z\"/>\n</svg>\n");
}

TEST_CASE("write_graph_svg: a line per entry and a circle per unit") {
  std::string text;
  weir::write_graph_svg(small, To{&text});
  auto const count = [&text](std::string const& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  CHECK(count("L") == 8);
  CHECK(count("<circle") == 8);
  CHECK(count("M10 5L30 5") == 1);
  CHECK(count("M10 25L30 5") == 1);
}

TEST_CASE("write_npy: a header of a multiple of 64 bytes, then the matrix") {
  std::string text;
  GroupDesign const design{{29, 43, 8, 3}};
  weir::write_npy(design, To{&text});
  REQUIRE(text.size() > 10);
  CHECK(text.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  std::size_t const begin =
      10 + static_cast<unsigned char>(text[8]) + 256u * static_cast<unsigned char>(text[9]);
  CHECK(begin % 64 == 0);
  CHECK(text.substr(10, begin - 10).find("{'descr': '|u1', 'fortran_order': False, 'shape': (29, 43), }") ==
        0);
  CHECK(text[begin - 1] == '\n');
  std::vector<std::uint8_t> const matrix = matrix_of(design);
  CHECK(text.substr(begin) == std::string(matrix.begin(), matrix.end()));
}

TEST_CASE("writers: pieces are small however large the mask is") {
  GroupDesign const large{{512, 512, 4}};
  std::size_t most = 0;
  std::size_t pieces = 0;
  weir::write_matrix_market(large, [&](std::string const& piece) {
    most = piece.size() > most ? piece.size() : most;
    ++pieces;
  });
  CHECK(pieces > 5);
  CHECK(most < 70'000);
}
