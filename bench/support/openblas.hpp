#pragma once

#include <dlfcn.h>

/// OpenBLAS by one thread, if libopenblas.so.0 is found (OPENBLAS_CORETYPE chooses its kernels).
struct OpenBlas {
  using Sgemm = void (*)(int, int, int, int, int, int, float, float const*, int, float const*, int, float,
                         float*, int);
  static constexpr int row_major = 101, no_transpose = 111, transpose = 112;

  static OpenBlas find() {
    OpenBlas found;
    void* const library = dlopen("libopenblas.so.0", RTLD_NOW);
    if (library == nullptr) return found;
    if (void* const set = dlsym(library, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
    if (void* const name = dlsym(library, "openblas_get_corename"))
      found.kernels = reinterpret_cast<char* (*)()>(name)();
    found.sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
    return found;
  }

  Sgemm sgemm = nullptr;  // cblas_sgemm
  char const* kernels = "";
};
