#pragma once

#include <nccl.h>

#include <string>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// NCCL's name of an element type.
constexpr ncclDataType_t nccl_type(WireType type) {
  switch (type) {
    case WireType::float16:
      return ncclFloat16;
    case WireType::bfloat16:
      return ncclBfloat16;
    case WireType::float32:
      return ncclFloat32;
    case WireType::float64:
      return ncclFloat64;
    case WireType::int32:
      return ncclInt32;
    case WireType::uint32:
      return ncclUint32;
    case WireType::int64:
      return ncclInt64;
    case WireType::uint64:
      return ncclUint64;
    case WireType::bytes:
      break;
  }
  return ncclUint8;
}

/// NCCL's name of an operator. Errors: `ContractViolation` for `bit_or`, which NCCL does not have.
inline ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return ncclSum;
    case ReduceOp::max:
      return ncclMax;
    case ReduceOp::min:
      return ncclMin;
    case ReduceOp::bit_or:
      break;
  }
  throw ContractViolation(std::string("NCCL cannot combine with ") + name_of(op) + ", only sum, max and min");
}

}  // namespace weir::inline v1
