#include "kernel/kernel_dnnl_library.h"

#include <dlfcn.h>

#include "kernel/kernel_dnnl.h"

namespace lockstep {
namespace {

template <class F>
bool find(void* handle, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(handle, name));
  return function != nullptr;
}

DnnlLibrary load() {
  DnnlLibrary l;
  void* const handle = dlopen(dnnl_library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return l;
  bool all = find(handle, "omp_set_num_threads", l.set_threads) &&
             find(handle, "omp_get_max_threads", l.threads);
#define LOCKSTEP_FIND(name) all = all && find(handle, "dnnl_" #name, l.name);
  LOCKSTEP_DNNL_FUNCTIONS(LOCKSTEP_FIND)
#undef LOCKSTEP_FIND
  l.complete =
      all && l.engine_create(&l.engine, dnnl_cpu, 0) == dnnl_success &&
      l.primitive_attr_create(&l.attr) == dnnl_success &&
      l.primitive_attr_set_scratchpad_mode(l.attr, dnnl_scratchpad_mode_user) == dnnl_success;
  return l;
}

}  // namespace

const DnnlLibrary& dnnl() {
  static const DnnlLibrary* const loaded = new DnnlLibrary(load());
  return *loaded;
}

}  // namespace lockstep
