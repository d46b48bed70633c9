#include "weir/exec/masked_product.hpp"

#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/indexed_layout.hpp"
#include "weir/exec/tiled_layout.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"

static_assert(weir::MaskingBackend<weir::HostExecutor>);
static_assert(weir::MaskingBackend<weir::HostExecutor, weir::CyclicLayout, double>);
static_assert(weir::MaskingBackend<weir::HostExecutor, weir::IndexedLayout<std::uint16_t>, weir::bfloat16>);
static_assert(weir::MaskingBackend<weir::HostExecutor, weir::TiledLayout<weir::GroupLayout>, weir::half>);
static_assert(!weir::MaskingBackend<weir::HostExecutor, weir::GroupLayout, int>);

static_assert(weir::activate(weir::Activation::relu, -1.0f) == 0.0f);
static_assert(weir::activate(weir::Activation::relu, 2.0f) == 2.0f);
static_assert(weir::activate(weir::Activation::identity, -1.0f) == -1.0f);
static_assert(std::is_same_v<weir::AccumulatorOf<weir::half const>, float>);
static_assert(std::is_same_v<weir::AccumulatorOf<double>, double>);
