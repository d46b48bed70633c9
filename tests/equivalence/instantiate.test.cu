// What the other units of this program, which see declarations only, are linked with.
#include "weir/cuda/instantiate.cuh"
