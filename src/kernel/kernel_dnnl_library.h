#pragma once

#include <oneapi/dnnl/dnnl.h>

namespace lockstep {

// What is called of oneDNN: each a member of DnnlLibrary, looked up by name.
// clang-format off
#define LOCKSTEP_DNNL_FUNCTIONS(each) \
  each(engine_create) each(stream_create) each(stream_destroy) each(stream_wait) \
  each(memory_desc_init_by_strides) each(memory_desc_init_by_tag) each(memory_desc_equal) \
  each(memory_desc_get_size) each(memory_create) each(memory_destroy) \
  each(primitive_attr_create) each(primitive_attr_set_scratchpad_mode) \
  each(primitive_desc_create) each(primitive_desc_destroy) each(primitive_desc_query) \
  each(primitive_desc_query_md) each(primitive_create) each(primitive_destroy) \
  each(primitive_execute) each(reorder_primitive_desc_create) \
  each(dilated_convolution_forward_desc_init) each(dilated_deconvolution_forward_desc_init) \
  each(matmul_desc_init)
// clang-format on

// oneDNN's functions and those of its thread runtime, with the processor as its engine.
struct DnnlLibrary {
  bool complete = false;
  dnnl_engine_t engine = nullptr;
  dnnl_primitive_attr_t attr = nullptr;  // scratch comes from the caller
  void (*set_threads)(int) = nullptr;    // of the calling thread
  int (*threads)() = nullptr;
#define LOCKSTEP_MEMBER(name) decltype(&::dnnl_##name) name = nullptr;
  LOCKSTEP_DNNL_FUNCTIONS(LOCKSTEP_MEMBER)
#undef LOCKSTEP_MEMBER
};

// Loaded when first asked for, for the life of the process; not `complete` where that fails.
const DnnlLibrary& dnnl();

}  // namespace lockstep
