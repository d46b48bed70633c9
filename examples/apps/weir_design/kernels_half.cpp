#include "host_kernels.hpp"

template weir_design::Products weir_design::run_typed_kernels<weir::half>(weir::AnyDesign const&,
                                                                          KernelOptions const&, std::size_t);
