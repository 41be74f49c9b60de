#pragma once

#include <cstdint>
#include <memory>

#include "kernel/kernel.h"
#include "num/activation.h"

namespace lockstep {

// oneDNN behind kernels of the arithmetic `float` (N6). The library is loaded when the first node
// that wants it is made ready, so that nothing else pays for it; a call computes on the thread that
// makes it, and how work is cut into calls does not depend on the number of threads.

inline constexpr const char* dnnl_library = "libdnnl.so.2";
bool dnnl_loads();

// N6: true for an arithmetic that imitates no runtime.
bool sums_in_any_order(const Numerics& num);
// Layers of fewer products stay with kernels that yield the bytes of eval.
inline constexpr std::int64_t dnnl_least_products = 50000;

// N6: how far apart two sums of `terms` products may lie, `magnitude` the sum of their absolute
// values and the bias's.
double any_order_bound(std::int64_t terms, double magnitude);

// A convolution, or its transposition, over images [height][width][channels].
struct DnnlWindow {
  bool transposed = false;
  std::int64_t batch = 1, group = 1, ic = 1, oc = 1;  // the latter two per group
  std::int64_t in[2] = {1, 1}, out[2] = {1, 1}, kernel[2] = {1, 1}, strides[2] = {1, 1};
  std::int64_t dilations[2] = {1, 1}, begin[2] = {0, 0}, end[2] = {0, 0};
  std::int64_t weight_step[5] = {};  // elements from group, oc, ic, row, column to the next
};

// y[m,n] = sum_k a[m,k] * b[k,n]; b given once (`fixed`) or with each call.
struct DnnlMatrices {
  std::int64_t m = 1, n = 1, k = 1;
  bool trans_a = false, trans_b = false, fixed = false;
};

// One primitive of oneDNN. Shared by threads.
class DnnlCall {
 public:
  // Null where oneDNN has nothing but its own reference for it.
  static std::unique_ptr<DnnlCall> of(const DnnlWindow& w, bool biased);
  static std::unique_ptr<DnnlCall> of(const DnnlMatrices& m);
  ~DnnlCall();

  // Compiles it, and brings constant weights and bias (null: none) to the order that it wants; they
  // are those of `like`, where that holds the same.
  void make_ready(const float* weights, const float* bias, const DnnlCall* like = nullptr);
  void run(const float* x, const float* w, float* y, std::byte* scratch) const;
  std::size_t scratch_bytes() const;
  std::size_t resident_bytes() const;

 private:
  struct Parts;
  explicit DnnlCall(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lockstep
