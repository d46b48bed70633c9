#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/mask/design.hpp"

namespace weir::inline v1 {
namespace detail {

/// Hands text on in pieces of some size.
template <class Write>
class PieceWriter {
 public:
  explicit PieceWriter(Write& write) : write_(write) {}

  PieceWriter& operator<<(char const* text) {
    text_ += text;
    return *this;
  }
  PieceWriter& operator<<(std::size_t number) {
    char digits[24];
    std::size_t begin = sizeof digits;
    do {
      digits[--begin] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    text_.append(digits + begin, sizeof digits - begin);
    return *this;
  }
  void pass_on(std::size_t least = 1) {
    if (text_.size() < least) return;
    write_(text_);
    text_.clear();
  }

 private:
  Write& write_;
  std::string text_ = {};
};

/// Calls `visit(row, columns)` for each row, its columns ascending.
template <class D, class Visit>
void visit_sorted_rows(D const& design, Visit visit) {
  std::vector<std::size_t> columns;
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    columns.clear();
    std::size_t const degree = design.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      columns.push_back(design.column(row, slot));
      for (std::size_t at = slot; at > 0 && columns[at] < columns[at - 1]; --at) {
        std::size_t const moved = columns[at];
        columns[at] = columns[at - 1];
        columns[at - 1] = moved;
      }
    }
    visit(row, columns);
  }
}

inline constexpr std::size_t piece_bytes = std::size_t{1} << 16;

}  // namespace detail

// A writer calls `write(text)` with one piece after another, so that a mask is never in memory as a whole.

/// Matrix Market coordinates, 1-based, sorted by rows, which are the outputs.
template <Design D, class Write>
void write_matrix_market(D const& design, Write write) {
  detail::PieceWriter out(write);
  out << "%%MatrixMarket matrix coordinate pattern general\n";
  out << design.outputs() << " " << design.inputs() << " " << design.nnz() << "\n";
  detail::visit_sorted_rows(design, [&](std::size_t row, std::vector<std::size_t> const& columns) {
    for (std::size_t const column : columns) out << row + 1 << " " << column + 1 << "\n";
    out.pass_on(detail::piece_bytes);
  });
  out.pass_on();
}

/// The bipartite graph for Graphviz: an edge from i<column> to o<row> per entry.
template <Design D, class Write>
void write_dot(D const& design, Write write) {
  detail::PieceWriter out(write);
  out << "graph {\n";
  detail::visit_sorted_rows(design, [&](std::size_t row, std::vector<std::size_t> const& columns) {
    for (std::size_t const column : columns) out << "i" << column << " -- o" << row << ";\n";
    out.pass_on(detail::piece_bytes);
  });
  out << "}\n";
  out.pass_on();
}

/// A picture of the matrix: a unit square per entry.
template <Design D, class Write>
void write_matrix_svg(D const& design, Write write) {
  detail::PieceWriter out(write);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << design.inputs() << " "
      << design.outputs() << "\" shape-rendering=\"crispEdges\">\n<path d=\"";
  detail::visit_sorted_rows(design, [&](std::size_t row, std::vector<std::size_t> const& columns) {
    for (std::size_t const column : columns) out << "M" << column << " " << row << "h1v1h-1z";
    out.pass_on(detail::piece_bytes);
  });
  out << "\"/>\n</svg>\n";
  out.pass_on();
}

/// A picture of the bipartite graph: inputs on the left, outputs on the right, a line per entry.
template <Design D, class Write>
void write_graph_svg(D const& design, Write write) {
  detail::PieceWriter out(write);
  std::size_t const inputs = design.inputs();
  std::size_t const outputs = design.outputs();
  // Ten units of height for each of the more numerous side; the other is spread over the same height.
  std::size_t const height = 10 * (inputs > outputs ? inputs : outputs);
  std::size_t const width = height / 2 + 20;
  auto const place = [height](std::size_t i, std::size_t count) {
    return (2 * i + 1) * height / (2 * count);
  };
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << " " << height
      << "\">\n<path fill=\"none\" stroke=\"black\" stroke-opacity=\"0.5\" d=\"";
  detail::visit_sorted_rows(design, [&](std::size_t row, std::vector<std::size_t> const& columns) {
    for (std::size_t const column : columns)
      out << "M10 " << place(column, inputs) << "L" << width - 10 << " " << place(row, outputs);
    out.pass_on(detail::piece_bytes);
  });
  out << "\"/>\n";
  for (bool const is_input : {true, false}) {
    for (std::size_t i = 0; i < (is_input ? inputs : outputs); ++i) {
      out << "<circle cx=\"" << (is_input ? 10 : width - 10) << "\" cy=\""
          << place(i, is_input ? inputs : outputs) << "\" r=\"3\"/>\n";
      out.pass_on(detail::piece_bytes);
    }
  }
  out << "</svg>\n";
  out.pass_on();
}

/// The 0/1 matrix as a .npy file of uint8.
template <Design D, class Write>
void write_npy(D const& design, Write write) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" +
                       std::to_string(design.outputs()) + ", " + std::to_string(design.inputs()) + "), }";
  constexpr std::size_t prefix = 10;  // magic, version and length
  header.append(64 - (prefix + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string text = "\x93NUMPY\x01";
  text += '\0';
  text += static_cast<char>(header.size() % 256);
  text += static_cast<char>(header.size() / 256);
  text += header;
  write(text);
  std::string row_text(design.inputs(), '\0');
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    std::size_t const degree = design.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) row_text[design.column(row, slot)] = '\1';
    write(row_text);
    for (std::size_t slot = 0; slot < degree; ++slot) row_text[design.column(row, slot)] = '\0';
  }
}

}  // namespace weir::inline v1
