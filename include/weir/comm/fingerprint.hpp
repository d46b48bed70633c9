#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/reduce_op.hpp"
#include "weir/comm/wire_type.hpp"

namespace weir::inline v1 {

/// The operations of communicators.
enum class CommOperation : std::uint8_t {
  agree,
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  exchange,
  split
};

constexpr char const* name_of(CommOperation operation) {
  constexpr char const* names[] = {"agree",     "all_reduce", "all_gather", "reduce_scatter",
                                   "broadcast", "exchange",   "split"};
  auto const index = static_cast<std::size_t>(operation);
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown operation";
}

/// What a rank is about to do, in 32 bytes. Equal on all ranks, or the collective cannot work.
struct Fingerprint {
  std::uint64_t sequence = 0;  // how many collectives this communicator has called before, plus one
  std::uint64_t count = 0;     // elements, of the whole vector or of the fixed block
  std::uint64_t layout = 0;    // hash of what else must agree: a bucket's layout, boundaries of parts
  CommOperation operation = CommOperation::agree;
  WireType type = WireType::bytes;
  ReduceOp op = ReduceOp::sum;
  std::uint8_t padding = 0;
  std::uint32_t root = 0;

  bool operator==(Fingerprint const&) const = default;

  /// One line: "all_reduce number 3 of 4096 float32 (sum)".
  std::string text() const {
    std::string line = std::string(name_of(operation)) + " number " + std::to_string(sequence) + " of " +
                       std::to_string(count) + ' ' + name_of(type);
    if (operation == CommOperation::all_reduce || operation == CommOperation::reduce_scatter) {
      line += std::string(" (") + name_of(op) + ')';
    }
    if (operation == CommOperation::broadcast) line += " from rank " + std::to_string(root);
    if (layout != 0) line += ", layout " + hexadecimal(layout);
    return line;
  }

 private:
  static std::string hexadecimal(std::uint64_t value) {
    std::string digits(16, '0');
    for (std::size_t place = 16; place-- > 0; value >>= 4) digits[place] = "0123456789abcdef"[value & 15];
    return digits;
  }
};

static_assert(sizeof(Fingerprint) == 32 && std::is_trivially_copyable_v<Fingerprint>);

/// FNV-1a, for the `layout` of a fingerprint: start with `layout_hash_seed`, fold in one number after
/// another.
inline constexpr std::uint64_t layout_hash_seed = 0xcbf2'9ce4'8422'2325;

constexpr std::uint64_t layout_hash(std::uint64_t hash, std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte, value >>= 8) hash = (hash ^ (value & 0xff)) * 0x100'0000'01b3;
  return hash;
}

}  // namespace weir::inline v1
