#include "kernel/kernel_dnnl.h"

#include <array>
#include <string_view>
#include <vector>

#include "kernel/kernel_dnnl_library.h"

namespace lockstep {
namespace {

// While it lives, oneDNN has this thread alone.
class OneThread {
 public:
  OneThread() : before_(dnnl().threads()) { dnnl().set_threads(1); }
  ~OneThread() { dnnl().set_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// The stream of the calling thread; calls end before they return.
dnnl_stream_t stream() {
  struct Own {
    dnnl_stream_t made = nullptr;
    Own() { dnnl().stream_create(&made, dnnl().engine, dnnl_stream_default_flags); }
    ~Own() { dnnl().stream_destroy(made); }
  };
  static thread_local Own own;
  return own.made;
}

class Memory {
 public:
  Memory(const dnnl_memory_desc_t& form, const void* at) {
    dnnl().memory_create(&made_, &form, dnnl().engine, const_cast<void*>(at));
  }
  ~Memory() { dnnl().memory_destroy(made_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  dnnl_memory_t get() const { return made_; }

 private:
  dnnl_memory_t made_ = nullptr;
};

using Extents = std::vector<std::int64_t>;

dnnl_memory_desc_t strided(const Extents& extents, const Extents& steps) {
  dnnl_memory_desc_t form;
  dnnl().memory_desc_init_by_strides(&form, static_cast<int>(extents.size()), extents.data(),
                                     dnnl_f32, steps.data());
  return form;
}
dnnl_memory_desc_t any_form(const Extents& extents) {
  dnnl_memory_desc_t form;
  dnnl().memory_desc_init_by_tag(&form, static_cast<int>(extents.size()), extents.data(), dnnl_f32,
                                 dnnl_format_tag_any);
  return form;
}
dnnl_memory_desc_t images(std::int64_t batch, std::int64_t channels, const std::int64_t (&at)[2]) {
  return strided({batch, channels, at[0], at[1]},
                 {channels * at[0] * at[1], 1, at[1] * channels, channels});
}

}  // namespace

bool dnnl_loads() {
  return dnnl().complete;
}

bool sums_in_any_order(const Numerics& num) {
  const FloatPolicy& f = num.real;
  return !num.conv && !num.dense && !num.quantize && !f.in_order && !f.dot && !f.matrix &&
         !f.convolution && !f.functions;
}

double any_order_bound(std::int64_t terms, double magnitude) {
  // A product, each sum that it enters, a factor, the bias and its factor: one rounding each.
  constexpr double unit = 0x1p-24, least = 0x1p-149;
  const double roundings = static_cast<double>(terms) + 4, grown = roundings * unit;
  return 2 * grown / (1 - grown) * magnitude + 2 * roundings * least;
}

struct DnnlCall::Parts {
  dnnl_primitive_desc_t plan = nullptr;
  dnnl_primitive_t made = nullptr;
  dnnl_memory_desc_t given = {};  // weights as the file has them
  dnnl_memory_desc_t x = {}, w = {}, y = {}, bias = {}, scratch = {};
  bool biased = false, fixed = false;
  struct Packed {
    std::vector<float> room;
    std::unique_ptr<Memory> memory;
  };
  std::shared_ptr<Packed> weights, added;

  ~Parts() {
    weights.reset();
    if (made) dnnl().primitive_destroy(made);
    if (plan) dnnl().primitive_desc_destroy(plan);
  }

  dnnl_memory_desc_t form(dnnl_query_t of) const {
    return *dnnl().primitive_desc_query_md(plan, of, 0);
  }
  // False where nothing but the library's reference computes this.
  bool choose(const_dnnl_op_desc_t wanted) {
    const DnnlLibrary& l = dnnl();
    if (l.primitive_desc_create(&plan, wanted, l.attr, l.engine, nullptr) != dnnl_success)
      return false;
    const char* name = "";
    l.primitive_desc_query(plan, dnnl_query_impl_info_str, 0, &name);
    if (std::string_view(name).find("ref") != std::string_view::npos) return false;
    x = form(dnnl_query_src_md);
    w = form(dnnl_query_weights_md);
    y = form(dnnl_query_dst_md);
    scratch = form(dnnl_query_scratchpad_md);
    return true;
  }
  void pack(const float* from);
};

void DnnlCall::Parts::pack(const float* from) {
  const DnnlLibrary& l = dnnl();
  weights = std::make_shared<Packed>();
  weights->room.resize(l.memory_desc_get_size(&w) / sizeof(float) + 32);
  auto* const at = weights->room.data() +
                   (128 - reinterpret_cast<std::uintptr_t>(weights->room.data()) % 128) / 4 % 32;
  weights->memory = std::make_unique<Memory>(w, at);
  const Memory source(given, from);
  dnnl_primitive_desc_t moving = nullptr;
  dnnl_primitive_t moves = nullptr;
  l.reorder_primitive_desc_create(&moving, &given, l.engine, &w, l.engine, nullptr);
  l.primitive_create(&moves, moving);
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, source.get()},
                                  {DNNL_ARG_TO, weights->memory->get()}};
  l.primitive_execute(moves, stream(), 2, args);
  l.stream_wait(stream());
  l.primitive_destroy(moves);
  l.primitive_desc_destroy(moving);
}

DnnlCall::DnnlCall(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
DnnlCall::~DnnlCall() = default;

std::unique_ptr<DnnlCall> DnnlCall::of(const DnnlWindow& w, bool biased) {
  if (!dnnl_loads()) return nullptr;
  const OneThread alone;
  auto parts = std::make_unique<Parts>();
  parts->biased = biased;
  parts->fixed = true;
  const dnnl_memory_desc_t x = images(w.batch, w.group * w.ic, w.in),
                           y = images(w.batch, w.group * w.oc, w.out);
  Extents extents{w.group, w.oc, w.ic, w.kernel[0], w.kernel[1]};
  Extents steps(std::begin(w.weight_step), std::end(w.weight_step));
  if (w.group == 1) extents.erase(extents.begin()), steps.erase(steps.begin());
  parts->given = strided(extents, steps);
  parts->bias = strided({w.group * w.oc}, {1});
  const dnnl_memory_desc_t weights = any_form(extents);
  const std::int64_t between[2] = {w.dilations[0] - 1, w.dilations[1] - 1};
  const dnnl_memory_desc_t* const bias = biased ? &parts->bias : nullptr;
  bool chosen = false;
  if (w.transposed) {
    dnnl_deconvolution_desc_t wanted;
    chosen = dnnl().dilated_deconvolution_forward_desc_init(
                 &wanted, dnnl_forward_inference, dnnl_deconvolution_direct, &x, &weights, bias, &y,
                 w.strides, between, w.begin, w.end) == dnnl_success &&
             parts->choose(&wanted);
  } else {
    dnnl_convolution_desc_t wanted;
    chosen = dnnl().dilated_convolution_forward_desc_init(
                 &wanted, dnnl_forward_inference, dnnl_convolution_direct, &x, &weights, bias, &y,
                 w.strides, between, w.begin, w.end) == dnnl_success &&
             parts->choose(&wanted);
  }
  if (!chosen) return nullptr;
  return std::unique_ptr<DnnlCall>(new DnnlCall(std::move(parts)));
}

std::unique_ptr<DnnlCall> DnnlCall::of(const DnnlMatrices& m) {
  if (!dnnl_loads()) return nullptr;
  const OneThread alone;
  auto parts = std::make_unique<Parts>();
  parts->fixed = m.fixed;
  const auto matrix = [](std::int64_t rows, std::int64_t columns, bool transposed) {
    return strided({rows, columns}, transposed ? Extents{1, rows} : Extents{columns, 1});
  };
  const dnnl_memory_desc_t x = matrix(m.m, m.k, m.trans_a), y = matrix(m.m, m.n, false);
  parts->given = matrix(m.k, m.n, m.trans_b);
  const dnnl_memory_desc_t weights = m.fixed ? any_form({m.k, m.n}) : parts->given;
  dnnl_matmul_desc_t wanted;
  if (dnnl().matmul_desc_init(&wanted, &x, &weights, nullptr, &y) != dnnl_success ||
      !parts->choose(&wanted))
    return nullptr;
  return std::unique_ptr<DnnlCall>(new DnnlCall(std::move(parts)));
}

void DnnlCall::make_ready(const float* weights, const float* bias, const DnnlCall* like) {
  const OneThread alone;
  const DnnlLibrary& l = dnnl();
  l.primitive_create(&parts_->made, parts_->plan);
  if (like && l.memory_desc_equal(&like->parts_->w, &parts_->w)) {
    parts_->weights = like->parts_->weights;
    parts_->added = like->parts_->added;
    return;
  }
  if (weights) parts_->pack(weights);
  if (!bias) return;
  parts_->added = std::make_shared<Parts::Packed>();
  parts_->added->room.assign(bias, bias + parts_->bias.dims[0]);
  parts_->added->memory = std::make_unique<Memory>(parts_->bias, parts_->added->room.data());
}

void DnnlCall::run(const float* x, const float* w, float* y, std::byte* scratch) const {
  const OneThread alone;
  const Parts& p = *parts_;
  const Memory from(p.x, x), to(p.y, y), room(p.scratch, scratch);
  std::unique_ptr<Memory> given;
  if (!p.fixed) given = std::make_unique<Memory>(p.w, w);
  std::array<dnnl_exec_arg_t, 5> args{
      {{DNNL_ARG_SRC, from.get()},
       {DNNL_ARG_DST, to.get()},
       {DNNL_ARG_SCRATCHPAD, room.get()},
       {DNNL_ARG_WEIGHTS, (given ? given : p.weights->memory)->get()},
       {DNNL_ARG_BIAS, nullptr}}};
  if (p.biased) args[4].memory = p.added->memory->get();
  dnnl().primitive_execute(p.made, stream(), p.biased ? 5 : 4, args.data());
  dnnl().stream_wait(stream());
}

std::size_t DnnlCall::scratch_bytes() const {
  return (dnnl().memory_desc_get_size(&parts_->scratch) + 127) / 64 * 64;
}

std::size_t DnnlCall::resident_bytes() const {
  return ((parts_->weights ? parts_->weights->room.size() : 0) +
          (parts_->added ? parts_->added->room.size() : 0)) *
         sizeof(float);
}

}  // namespace lockstep
