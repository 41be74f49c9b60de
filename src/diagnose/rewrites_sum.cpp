// Rewrites of a convolution or matrix product that a found cause makes wrong: each is built as the network's
// own node cut out and changed, and run on the captured inputs under that very cause.
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "device/device.h"
#include "diagnose/rewrites.h"
#include "diagnose/scope.h"
#include "fault/fault_elements.h"
#include "fault/fault_nodes.h"
#include "fault/fault_window.h"
#include "measure/reals.h"
#include "op/op.h"
#include "num/real.h"

namespace lockstep {
namespace {

constexpr std::size_t most_samples = 8;
constexpr double remaining = 0.25;  // of the distance to a cosine of 1: what a rewrite that holds may leave
constexpr std::size_t kWeights = 1, kBias = 2;

// One way to write the node.
struct Form {
  std::string text;
  int groups = 1;          // of input channels, each a node of its own, added afterwards
  bool half = false;       // weights of 7 bits
  bool one_scale = false;  // one scale for all output channels
  double coarser = 1;      // output scale
  bool symmetric_in = false, symmetric_out = false;
  bool own_clamp = false, own_pad = false;  // as operations of their own
  bool struck = true;                        // false: where the fault does not reach
};

// The node, or a part of it, that stands alone.
struct Part {
  Executor executor;
  RunOptions faulty;
  std::string in, out;
  std::size_t axis = 0;              // input channels [first, first + count) along it; all when count is 0
  std::int64_t first = 0, count = 0;
  QuantParams in_grid, out_grid;
  bool reached = true;  // by the fault
};

int channel_axis_of_weights(const NodeView& n) {
  const int last = static_cast<int>(n.input(kWeights).shape.size()) - 1;
  if (n.node.op == "Gemm") return n.attrs().integer("transB", 0) != 0 ? 1 : 0;
  if (n.node.op == "MatMul") return last - 1;
  const std::string order = n.attrs().text("weights", "OIHW");
  return order == "OIHW" ? 1 : order == "OHWI" ? last : -1;
}

Tensor sliced(const Tensor& t, std::size_t axis, std::int64_t begin, std::int64_t length) {
  Shape shape = t.shape();
  const std::int64_t extent = shape[axis];
  shape[axis] = length;
  Tensor out(t.dtype(), shape);
  std::int64_t inner = 1, outer = 1;
  for (std::size_t a = 0; a < axis; ++a) outer *= shape[a];
  for (std::size_t a = axis + 1; a < shape.size(); ++a) inner *= shape[a];
  const auto run = static_cast<std::size_t>(inner) * size_of(t.dtype());
  for (std::int64_t o = 0; o < outer; ++o)
    std::ranges::copy(t.bytes().subspan(static_cast<std::size_t>(o * extent + begin) * run, run * static_cast<std::size_t>(length)),
                      out.bytes().begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(o * length) * run));
  return out;
}

QuantParams symmetric(const QuantParams& q, DType type) {
  const CodeRange range = code_range(type);
  if (range.low == 0) return q;
  QuantParams s = q;
  const double zero = q.zero_at(0);
  s.scale = {q.scale_at(0) * std::max(static_cast<double>(range.high) - zero, zero - static_cast<double>(range.low)) / static_cast<double>(range.high)};
  s.zero = {0};
  return s;
}

// Weights on another grid: 7 bits, or one scale for all channels.
void regrid_weights(Value& w, const NodeView& n, const Form& form) {
  if (!form.half && !form.one_scale) return;
  Tensor t = *w.constant;
  const QuantParams own = w.quant;
  const double most = *std::ranges::max_element(own.scale);
  if (form.one_scale) w.quant = {{most}, {own.zero_at(0)}, -1};
  if (form.half)
    for (double& s : w.quant.scale) s *= 2;
  const int axis = own.axis < 0 ? 0 : own.axis;
  const CodeRange range = code_range(w.dtype);
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const auto c = static_cast<std::size_t>(own.per_channel() ? index_along(n.input(kWeights).shape, static_cast<std::size_t>(axis), i) : 0);
    const double real = own.scale_at(c) * static_cast<double>(t.code(i) - own.zero_at(c));
    const auto code = static_cast<std::int64_t>(half_even(real / w.quant.scale_at(c))) + w.quant.zero_at(c);
    t.set_code(i, std::clamp(code, range.low, range.high));
  }
  w.constant = std::make_shared<const Tensor>(std::move(t));
}

// The bias in the steps of the changed scales.
void regrid_bias(Value& b, const NodeView& n, const QuantParams& x, const QuantParams& w, bool empty) {
  if (!b.constant || is_float(b.dtype)) return;
  Tensor t = *b.constant;
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const auto c = static_cast<std::size_t>(i);
    const double was = n.input(0).quant.scale_at(0) * n.input(kWeights).quant.scale_at(c), is = x.scale_at(0) * w.scale_at(c);
    t.set_code(i, empty ? 0 : static_cast<std::int64_t>(half_even(static_cast<double>(t.code(i)) * was / is)));
  }
  b.constant = std::make_shared<const Tensor>(std::move(t));
  if (b.quant.quantized()) b.quant = {};
}

class SumRewrites {
 public:
  SumRewrites(const Case& c, const Verdict& v) : c_(c), v_(v), e_(c.reference), g_(e_.graph()) {}

  Result<std::vector<Rewrite>> run() {
    if (!prepare()) return std::vector<Rewrite>();
    RunOptions right;
    right.state = c_.recorded.state;
    LOCKSTEP_TRY(right_, e_.run(c_.recorded.sent.first(samples_), wanted_, right));
    LOCKSTEP_CHECK(add({.text = "as it is"}));
    if (made_.empty()) return made_;
    made_.clear();
    LOCKSTEP_CHECK(add({.text = "this operation on the CPU", .struck = false}));
    const NodeView n{g_, g_.node(node_)};
    if (is_coded_sum({e_, node_, no_id}) && has_weights({e_, node_, no_id}) && !n.input(0).constant && !refers_to_tensors()) {
      for (const int groups : {2, 4, 8}) LOCKSTEP_CHECK(add({.text = fmt::format("split into {} groups of input channels, added afterwards", groups), .groups = groups}));
      LOCKSTEP_CHECK(add({.text = "weights of 7 bits", .half = true}));
      if (n.input(kWeights).quant.per_channel()) LOCKSTEP_CHECK(add({.text = "one weight scale for all output channels", .one_scale = true}));
      LOCKSTEP_CHECK(add({.text = "output scale twice as large", .coarser = 2}));
      if (n.output(0).quant.zero_at(0) != 0) LOCKSTEP_CHECK(add({.text = "output quantized symmetrically", .symmetric_out = true}));
      if (n.input(0).quant.zero_at(0) != 0) LOCKSTEP_CHECK(add({.text = "input quantized symmetrically", .symmetric_in = true}));
      if (n.attrs().text("activation", "none") != "none") LOCKSTEP_CHECK(add({.text = "the activation as an operation of its own", .own_clamp = true}));
      if (n.node.op == "Conv" && pads()) LOCKSTEP_CHECK(add({.text = "padding as an operation of its own", .own_pad = true}));
    }
    return std::move(made_);
  }

 private:
  bool prepare() {
    cause_ = v_.suspects.empty() ? nullptr : v_.suspects[0].cause();
    num_ = e_.arithmetic().numerics->quantize;
    if (!cause_ || !num_ || cause_->fault->stage != Stage::node || c_.recorded.sent.empty() || c_.recorded.sent[0].empty()) return false;
    node_ = g_.find_node(cause_->site);
    if (node_ == no_id) return false;
    const std::string& op = g_.node(node_).op;
    if (op == "Add" && g_.node(node_).inputs.size() == 2) return false;  // has rewrites of its own
    samples_ = std::min(c_.recorded.sent.size(), most_samples);
    for (const ValueId id : g_.outputs()) wanted_.push_back(g_.value(id).name);
    at_ = g_.value(g_.node(node_).outputs[0]).name;
    if (std::ranges::find(wanted_, at_) == wanted_.end()) wanted_.push_back(at_);
    return true;
  }

  // A parameter that numbers a tensor of the whole network means nothing to a part of it.
  bool refers_to_tensors() const { return cause_->fault->reads || cause_->params.contains("other") || cause_->listed; }

  bool pads() const {
    const auto window = window_at({g_, g_.node(node_)});
    return window.ok() && std::ranges::any_of(window->begin, [](std::int64_t p) { return p != 0; });
  }

  // Nothing where the node cannot be written so.
  Result<std::optional<std::vector<Part>>> parts_of(const Form& form) {
    const NodeView n{g_, g_.node(node_)};
    std::vector<Part> parts;
    const int axis = channel_axis_of_weights(n);
    const std::int64_t channels = axis < 0 ? 0 : n.input(kWeights).shape[static_cast<std::size_t>(axis)];
    if (form.groups > 1 && (axis < 0 || n.attrs().integer("group", 1) != 1 || channels < 2 * form.groups)) return std::optional<std::vector<Part>>();
    for (int p = 0; p < form.groups; ++p) {
      const std::int64_t first = channels * p / form.groups, end = channels * (p + 1) / form.groups;
      auto made = part_of(form, p, form.groups > 1 ? axis : -1, first, end - first);
      if (!made.ok()) return std::optional<std::vector<Part>>();
      parts.push_back(std::move(*made));
    }
    return std::optional(std::move(parts));
  }

  Result<Part> part_of(const Form& form, int index, int axis, std::int64_t first, std::int64_t count) {
    const NodeView n{g_, g_.node(node_)};
    Value x = n.input(0), y = n.output(0);
    std::size_t x_axis = 0;
    if (axis >= 0) {
      x_axis = n.node.op == "Conv" ? channel_axis(n, x.shape) : x.shape.size() - 1;
      x.shape[x_axis] = count;
    }
    if (form.symmetric_in) x.quant = symmetric(x.quant, x.dtype);
    if (form.symmetric_out) y.quant = symmetric(y.quant, y.dtype);
    for (double& s : y.quant.scale) s *= form.coarser;
    Node node = n.node;
    if (form.own_clamp || form.groups > 1) node.attrs.set("activation", std::string("none"));
    if (form.groups > 1) {
      LOCKSTEP_TRY(y.quant, range_of(form, index, axis, first, count, x, node, y.quant));
    }
    LOCKSTEP_TRY(Executor executor, executor_of(form, index, axis, first, count, x, node, y));
    Part part{std::move(executor), {}, x.name, y.name, x_axis, first, axis >= 0 ? count : 0, x.quant, y.quant, false};
    if (form.struck) {
      const FaultSpec spec{cause_->fault, node.name, cause_->params};
      if (auto faulty = inject(part.executor, std::span(&spec, 1)); faulty.ok()) part.faulty = std::move(*faulty), part.reached = true;
    }
    return part;
  }

  Result<Executor> executor_of(const Form& form, int index, int axis, std::int64_t first, std::int64_t count, const Value& x,
                               const Node& shape_of, const Value& y) {
    const NodeView n{g_, g_.node(node_)};
    GraphBuilder b(g_.file(), g_.format());
    Node node = shape_of;
    QuantParams weights;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == no_id) continue;
      Value v = i == 0 ? x : n.input(i);
      v.producer = no_id;
      if (i == kWeights) {
        regrid_weights(v, n, form);
        if (axis >= 0) v.constant = std::make_shared<const Tensor>(sliced(*v.constant, static_cast<std::size_t>(axis), first, count));
        v.shape = v.constant->shape();
        weights = v.quant;
      }
      if (i == kBias) regrid_bias(v, n, x.quant, weights, index > 0);
      const bool given = !v.constant;
      node.inputs[i] = b.add_value(std::move(v));
      if (given) b.add_input(node.inputs[i]);
    }
    Value out = y;
    out.producer = no_id;
    node.outputs = {b.add_value(std::move(out))};
    b.add_output(node.outputs[0]);
    b.add_node(std::move(node));
    LOCKSTEP_TRY(const Graph graph, std::move(b).finish());
    return Executor::make(graph, e_.arithmetic());
  }

  // The grid of a partial sum: its range on the captured inputs, without a fault.
  Result<QuantParams> range_of(const Form& form, int index, int axis, std::int64_t first, std::int64_t count, const Value& x,
                               const Node& node, const QuantParams& own) {
    Value wide = g_.value(g_.node(node_).outputs[0]);
    wide.dtype = DType::i16;
    wide.quant = {{own.scale_at(0) / 16}, {0}, -1};
    LOCKSTEP_TRY(const Executor executor, executor_of(form, index, axis, first, count, x, node, wide));
    double most = 0;
    for (std::size_t s = 0; s < samples_; ++s) {
      LOCKSTEP_TRY(const Tensor given, input_of(s));
      LOCKSTEP_TRY(const auto made, run_part(executor, {}, x, wide, given, axis >= 0, first, count));
      for (std::int64_t i = 0; i < made.count(); ++i) most = std::max(most, std::fabs(static_cast<double>(made.code(i))) * wide.quant.scale[0]);
    }
    const CodeRange range = code_range(g_.value(g_.node(node_).outputs[0]).dtype);
    const auto zero = static_cast<std::int32_t>(range.low == 0 ? (range.high + 1) / 2 : 0);
    return QuantParams{{std::max(most, own.scale_at(0)) / static_cast<double>(range.high - zero)}, {zero}, -1};
  }

  // What the node reads in a run of the reference.
  Result<Tensor> input_of(std::size_t sample) {
    if (inputs_.empty()) {
      const std::string name[] = {g_.value(g_.node(node_).inputs[0]).name};
      RunOptions options;
      options.state = c_.recorded.state;
      LOCKSTEP_TRY(Capture made, e_.run(c_.recorded.sent.first(samples_), name, options));
      for (Sample& s : made.samples) inputs_.push_back(std::move(s.at(name[0])));
    }
    return inputs_[sample];
  }

  Result<Tensor> run_part(const Executor& executor, const RunOptions& faulty, const Value& x, const Value& y, const Tensor& given, bool slice,
                          std::int64_t first, std::int64_t count) const {
    const NodeView n{g_, g_.node(node_)};
    const std::size_t axis = n.node.op == "Conv" ? channel_axis(n, given.shape()) : given.shape().size() - 1;
    Tensor in = slice ? sliced(given, axis, first, count) : given;
    if (x.quant != n.input(0).quant) in = regridded(in, n.input(0), x.quant);
    Sample sample;
    sample.emplace(x.name, std::move(in));
    const std::string wanted[] = {y.name};
    LOCKSTEP_TRY(Capture made, executor.run({&sample, 1}, wanted, faulty));
    return std::move(made.samples[0].at(y.name));
  }

  Tensor regridded(const Tensor& t, const Value& from, const QuantParams& to) const {
    Tensor out = t;
    const CodeRange range = code_range(t.dtype());
    const std::vector<double> reals = reals_of(t, from.quant);
    for (std::int64_t i = 0; i < t.count(); ++i)
      out.set_code(i, num_->quantize(static_cast<float>(reals[static_cast<std::size_t>(i)]), static_cast<float>(to.scale_at(0)), to.zero_at(0),
                                     static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high)));
    return out;
  }

  // The node's result on its own grid from its parts' results.
  Result<void> combine(const std::vector<Part>& parts, const Tensor& given, Tensor& out) const {
    const NodeView n{g_, g_.node(node_)};
    const auto grid = output_scale(n);
    if (!grid) return Error{"rewrite", "no grid", "one scale", ""};
    std::vector<double> sum(static_cast<std::size_t>(out.count()), 0);
    for (const Part& p : parts) {
      Value x = n.input(0), y = n.output(0);
      x.name = p.in, y.name = p.out, x.quant = p.in_grid;
      LOCKSTEP_TRY(const Tensor made, run_part(p.executor, p.faulty, x, y, given, p.count > 0, p.first, p.count));
      if (parts.size() == 1 && p.out_grid == n.output(0).quant && !p.reached) {
        out = made;
        return {};
      }
      const std::vector<double> reals = reals_of(made, p.out_grid);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += reals[i];
    }
    for (std::int64_t i = 0; i < out.count(); ++i)
      out.set_code(i, num_->quantize(static_cast<float>(sum[static_cast<std::size_t>(i)]), static_cast<float>(grid->scale), static_cast<std::int32_t>(grid->zero),
                                     static_cast<std::int32_t>(grid->low), static_cast<std::int32_t>(grid->high)));
    return {};
  }

  Result<void> add(const Form& form) {
    std::vector<FaultSpec> elsewhere;
    for (const FaultSpec& spec : believed(v_))
      if (spec.fault->stage == Stage::node && (form.text == "as it is" || spec.node != cause_->site)) elsewhere.push_back(spec);
    LOCKSTEP_TRY(RunOptions options, inject(e_, elsewhere));
    options.state = c_.recorded.state;
    std::string cost = form.text == "as it is" ? "" : cost_of(form);
    if (form.struck && form.text != "as it is") {
      LOCKSTEP_TRY(auto parts, form.own_pad ? padded(form) : parts_of(form));
      if (!parts) return {};
      const auto shared = std::make_shared<std::vector<Part>>(std::move(*parts));
      const bool reached = std::ranges::any_of(*shared, &Part::reached);
      if (!reached) cost += ", the fault does not reach it";
      options.node_hooks.push_back({node_, [this, shared](std::span<const Tensor* const> in, std::span<Tensor> out, auto) -> Result<void> {
                                      return combine(*shared, *in[0], out[0]);
                                    }, {}});
    }
    const auto made = e_.run(c_.recorded.sent.first(samples_), wanted_, options);
    if (!made.ok()) return {};  // a rewrite that cannot be run here is left out
    return judge(form.text, cost, *made);
  }

  // A convolution without padding over an input padded with its zero point beforehand.
  Result<std::optional<std::vector<Part>>> padded(const Form& form) {
    const NodeView n{g_, g_.node(node_)};
    LOCKSTEP_TRY(auto parts, parts_of({.text = form.text, .struck = false}));
    if (!parts) return parts;
    // Without padding a fault of the padding has no place: whether the cause still applies is asked of the node itself.
    Node node = n.node;
    const auto window = window_at(n);
    if (!window.ok()) return std::optional<std::vector<Part>>();
    GraphBuilder b(g_.file(), g_.format());
    Value x = n.input(0);
    x.producer = no_id;
    const std::size_t from = window->channels_last ? 1 : 2, unused = 3 - window->spatial_rank;
    for (std::size_t a = 0; a < window->spatial_rank; ++a)
      x.shape[from + a] = (window->out[unused + a] - 1) * window->strides[unused + a] + (window->kernel[unused + a] - 1) * window->dilations[unused + a] + 1;
    node.attrs.values.erase("auto_pad");
    node.attrs.set("pads", std::vector<std::int64_t>(2 * window->spatial_rank, 0));
    LOCKSTEP_TRY(const Executor bare, executor_of(form, 0, -1, 0, 0, x, node, n.output(0)));
    const FaultSpec spec{cause_->fault, node.name, cause_->params};
    // Where it does, its effect with and without own padding is the same sum: only faults of the padding differ.
    if (inject(bare, std::span(&spec, 1)).ok()) return std::optional<std::vector<Part>>();
    return parts;
  }

  // What it takes beside the node as it is: MACs, bytes, and microseconds by the device's latency model.
  std::string cost_of(const Form& form) const {
    const NodeView n{g_, g_.node(node_)};
    const OpDef* op = find_op(n.node.op);
    const std::int64_t macs = op && op->cost ? op->cost(n).macs : 0;
    const std::int64_t out = count_of(n.output(0).shape) * static_cast<std::int64_t>(size_of(n.output(0).dtype));
    const DeviceDef* device = find_device("stm32n6");
    const double own = device && device->cost ? device->cost(n, DevicePlace::accelerator).microseconds : 0;
    const std::string of = device ? std::string(device->name) : "";
    if (!form.struck) {
      const double cpu = device && device->cost ? device->cost(n, DevicePlace::cpu_integer).microseconds : 0;
      return fmt::format("{} MACs move; {:.3f} ms for {:.3f} ms on {}", macs, cpu / 1000, own / 1000, of);
    }
    const int more = form.groups > 1 ? form.groups - 1 : form.own_clamp || form.own_pad ? 1 : 0;
    if (more == 0) return "no more MACs or bytes";
    return fmt::format("{} more operations, {} bytes of activations; about {:.3f} ms more on {}", form.groups > 1 ? 2 * more : more, more * out,
                       (form.groups > 1 ? 2 : 1) * more * epoch_of(n, own, macs) / 1000, of);
  }

  // An operation of the accelerator that only moves the result's bytes: the least that one takes.
  double epoch_of(const NodeView& n, double own, std::int64_t macs) const {
    const DeviceDef* device = find_device("stm32n6");
    if (!device || !device->cost || macs == 0) return own;
    return std::min(own, device->cost(n, DevicePlace::transfers).microseconds);
  }

  Result<void> judge(const std::string& text, const std::string& cost, const Capture& made) {
    double output = 1, at = 1;
    for (const std::string& name : wanted_) {
      Meter meter;
      const QuantParams q = step_of(g_, g_.find_value(name));
      for (std::size_t s = 0; s < made.samples.size(); ++s) {
        const auto it = std::as_const(right_.samples[s]).find(name), got = made.samples[s].find(name);
        if (it != right_.samples[s].end() && got != made.samples[s].end()) LOCKSTEP_CHECK(meter.add(it->second, q, got->second, q));
      }
      const double cosine = meter.metrics().count ? meter.metrics().cosine : 1;
      (name == at_ ? at : output) = std::min(name == at_ ? at : output, cosine);
    }
    if (std::ranges::find(g_.outputs(), g_.find_value(at_)) != g_.outputs().end()) output = std::min(output, at);
    if (made_.empty() && before_output_ > 1) before_output_ = output, before_at_ = at;
    const auto heals = [](double cosine, double before) { return 1 - cosine <= remaining * (1 - before) + 1e-6; };
    const bool holds = std::min(output, at) >= rewrite_gate && heals(output, before_output_) && heals(at, before_at_);
    made_.push_back({text + fmt::format(" ({:.3f} at the operation{}{})", std::floor(at * 1e3) / 1e3, cost.empty() ? "" : "; ", cost), output, holds});
    return {};
  }

  const Case& c_;
  const Verdict& v_;
  const Executor& e_;
  const Graph& g_;
  const Explanation* cause_ = nullptr;
  const QuantizePolicy* num_ = nullptr;
  NodeId node_ = no_id;
  std::size_t samples_ = 0;
  std::vector<std::string> wanted_;
  std::string at_;
  std::vector<Tensor> inputs_;
  Capture right_;  // what the reference makes
  double before_output_ = 2, before_at_ = 2;
  std::vector<Rewrite> made_;
};

}  // namespace

Result<std::vector<Rewrite>> simulate_sum_rewrites(const Case& c, const Verdict& verdict) { return SumRewrites(c, verdict).run(); }

}  // namespace lockstep
