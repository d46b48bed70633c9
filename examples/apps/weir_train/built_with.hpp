#pragma once

namespace weir_train {

#if WEIR_TRAIN_WITH_CUDA
inline constexpr bool built_with_cuda = true;
#else
inline constexpr bool built_with_cuda = false;
#endif

#if WEIR_TRAIN_WITH_NCCL
inline constexpr bool built_with_nccl = true;
#else
inline constexpr bool built_with_nccl = false;
#endif

}  // namespace weir_train
