#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/design_writer.hpp"
#include "weir/state/archive.hpp"
#include "weir/state/checksum.hpp"

namespace weir::inline v1 {
namespace detail {

/// Calls `visit(place in the matrix, value_index)` for the live entries row by row, their columns ascending.
template <class D, class Visit>
void visit_entries_in_order(D const& design, Visit visit) {
  struct Entry {
    std::size_t column;
    std::size_t value;
  };
  std::vector<Entry> entries;
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    entries.clear();
    std::size_t const degree = design.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      entries.push_back({design.column(row, slot), design.value_index(row, slot)});
      for (std::size_t at = slot; at > 0 && entries[at].column < entries[at - 1].column; --at) {
        Entry const moved = entries[at];
        entries[at] = entries[at - 1];
        entries[at - 1] = moved;
      }
    }
    for (Entry const& entry : entries) visit(row * design.inputs() + entry.column, entry.value);
  }
}

inline std::string section(std::string_view name, char const* part) {
  return std::string(name) + "." + part;
}

}  // namespace detail

/// Puts a masked layer into an archive: what its mask was made from, its live values in row-major order,
/// which is the same however they lie in memory, and a checksum of where they belong.
///
/// Shapes: `values` has mask.value_count() elements.
/// Errors: ContractViolation for another number.
template <class D, class Element>
void save_mask(Archive& archive, std::string_view name, std::uint64_t bucket, BIBDMask<D> const& mask,
               std::span<Element const> values) {
  if (values.size() != mask.value_count()) {
    throw ContractViolation("save_mask: " + std::to_string(values.size()) +
                            " values, the mask has room for " + std::to_string(mask.value_count()));
  }
  MaskOptions const& o = mask.options();
  std::uint64_t const numbers[] = {o.outputs, o.inputs, o.row_degree, o.order, o.dimension,
                                   o.lambda,  o.block,  o.seed,       o.nnz};
  std::vector<Element> live;
  live.reserve(mask.nnz());
  Checksum places;
  mask.visit([&](auto const& layout) {
    detail::visit_entries_in_order(layout, [&](std::uint64_t place, std::size_t at) {
      places.add(std::as_bytes(std::span{&place, 1}));
      live.push_back(values[at]);
    });
  });
  archive.put(detail::section(name, "family"), bucket, std::string_view(o.family));
  archive.put(detail::section(name, "parameters"), bucket, std::span{numbers});
  archive.put(detail::section(name, "density"), bucket, o.density);
  archive.put(detail::section(name, "places"), bucket, places.value());
  archive.put(detail::section(name, "values"), bucket, live);
}

/// The mask of a layer in an archive, made anew from its options.
///
/// Errors: ArchiveError where there is none, or its tiles have no size; ContractViolation for a design of the
/// user's own, which has no options.
inline BIBDMask<> load_mask(Archive const& archive, std::string_view name, std::uint64_t bucket) {
  std::span<char const> const family = archive.get<char>(detail::section(name, "family"), bucket);
  auto const numbers = archive.get<std::uint64_t>(detail::section(name, "parameters"), bucket, 9);
  MaskOptions options;
  options.family.assign(family.begin(), family.end());
  options.density = archive.get_value<double>(detail::section(name, "density"), bucket);
  options.outputs = numbers[0];
  options.inputs = numbers[1];
  options.row_degree = numbers[2];
  options.order = numbers[3];
  options.dimension = numbers[4];
  options.lambda = numbers[5];
  if (numbers[6] == 0 || numbers[6] > 0xffff'ffff) {
    throw ArchiveError(detail::section(name, "parameters") + ": tiles of " + std::to_string(numbers[6]) +
                       ", at least 1 and below 2^32 would be right");
  }
  options.block = static_cast<std::uint32_t>(numbers[6]);
  options.seed = numbers[7];
  options.nnz = numbers[8];
  return BIBDMask(options);
}

/// The live values of a layer in an archive, put where the mask has them; padding becomes 0.
///
/// Errors: ArchiveError where they are not as many as the mask has live entries, of another type, or of a
/// mask with other live entries; ContractViolation where `values` has not mask.value_count() elements. Then
/// nothing is changed.
template <class D, class Element>
void load_mask_values(Archive const& archive, std::string_view name, std::uint64_t bucket,
                      BIBDMask<D> const& mask, std::span<Element> values) {
  if (values.size() != mask.value_count()) {
    throw ContractViolation("load_mask_values: room for " + std::to_string(values.size()) +
                            " values, the mask needs " + std::to_string(mask.value_count()));
  }
  auto const live = archive.get<Element>(detail::section(name, "values"), bucket, mask.nnz());
  auto const saved = archive.get_value<std::uint64_t>(detail::section(name, "places"), bucket);
  Checksum places;
  mask.visit([&](auto const& layout) {
    detail::visit_entries_in_order(layout, [&](std::uint64_t place, std::size_t) {
      places.add(std::as_bytes(std::span{&place, 1}));
    });
  });
  if (places.value() != saved) {
    throw ArchiveError(detail::section(name, "values") +
                       ": of a mask whose live entries are others, a mask of "
                       "the same options from the library that wrote them would be right");
  }
  for (Element& value : values) value = Element{};
  std::size_t next = 0;
  mask.visit([&](auto const& layout) {
    detail::visit_entries_in_order(layout, [&](std::uint64_t, std::size_t at) { values[at] = live[next++]; });
  });
}

}  // namespace weir::inline v1
