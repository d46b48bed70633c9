#include "weir/nccl/element.hpp"

#include <cstddef>
#include <cstdint>

namespace {

template <class T>
constexpr ncclDataType_t type = weir::nccl_type(weir::wire_type_of<T>);

static_assert(type<float> == ncclFloat32);
static_assert(type<double> == ncclFloat64);
static_assert(type<weir::half> == ncclFloat16);
static_assert(type<weir::bfloat16> == ncclBfloat16);
static_assert(type<std::int32_t> == ncclInt32);
static_assert(type<std::uint32_t> == ncclUint32);
static_assert(type<std::int64_t> == ncclInt64);
static_assert(type<std::uint64_t> == ncclUint64);
static_assert(type<std::byte> == ncclUint8);

}  // namespace
