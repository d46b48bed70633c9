#pragma once

// Everything that nvcc needs for programs with kernels: weir.hpp, the CUDA backend, and its verbs.

#include "weir/cuda/capture.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/device_memory.hpp"
#include "weir/cuda/device_stream_executor.hpp"
#include "weir/cuda/event.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/half.hpp"
#include "weir/cuda/memory_resource.hpp"
#include "weir/cuda/nvtx_ranges.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/cuda/scratch.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/cuda/staging_pipeline.hpp"
#include "weir/cuda/stream.hpp"
#include "weir/cuda/vocabulary.cuh"
#include "weir/cuda/vocabulary.hpp"
#include "weir/weir.hpp"
