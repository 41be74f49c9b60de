#include "diagnose/rewrites.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "diagnose/fold_identity.h"
#include "diagnose/rewrite_grid.h"
#include "diagnose/rewrite_node.h"
#include "diagnose/scope.h"
#include "op/op.h"

namespace lockstep {
namespace {

using Change = decltype(NodeHook::change);

constexpr std::size_t most_samples = 16;
constexpr double remaining =
    0.25;  // of the distance to a cosine of 1: what a rewrite that holds may leave
constexpr std::int64_t most_macs = 4'000'000'000;  // of all runs of one rewrite

bool is_sum(const Node& n) {
  return n.op == "Add" && n.inputs.size() == 2 && n.inputs[0] != no_id && n.inputs[1] != no_id;
}

// Whether the cause strikes another operation in the sum's place too: it is one of memory, of
// operands, or of every combination of unlike scales; not the computing of this one operator alone.
bool strikes_others(const Executor& e, const FaultDef& f) {
  if (f.scope == Scope::unequal_scales || f.scope == Scope::every_node) return true;
  return std::ranges::any_of(
      sites_of(e, f), [&](const Site& s) { return s.node != no_id && s.view().node.op != "Add"; });
}

// What one rewrite does at one sum.
struct Plan {
  std::string text;
  std::string cost = "no more MACs or bytes";
  bool swapped = false, one_scale = false, struck = true, folded = false;
  double coarser_output = 1;
};

class Simulator {
 public:
  Simulator(const Case& c, const Verdict& v) : c_(c), v_(v), e_(c.reference), g_(e_.graph()) {}

  Result<std::vector<Rewrite>> run() {
    if (!prepare()) return std::vector<Rewrite>();
    LOCKSTEP_TRY(faulty_, inject(e_, specs_));
    RunOptions right;
    right.state = c_.recorded.state;
    LOCKSTEP_TRY(right_, e_.run(c_.recorded.sent.first(samples_), wanted_, right));
    const bool again = strikes_others(e_, *cause_->fault);
    LOCKSTEP_CHECK(add({.text = "as it is"}));
    if (made_.empty()) return made_;
    made_.clear();  // measured: what a rewrite must better
    LOCKSTEP_CHECK(
        add({.text = sums_.size() > 1 ? fmt::format("these {} operations on the CPU", sums_.size())
                                      : "this operation on the CPU",
             .cost = cpu_cost(),
             .struck = false}));
    LOCKSTEP_CHECK(add({.text = "operands in the other order", .swapped = true}));
    LOCKSTEP_CHECK(add({.text = "output scale twice as large", .coarser_output = 2}));
    LOCKSTEP_CHECK(add({.text = "one scale for both operands, where the fault strikes all the same",
                        .one_scale = true}));
    LOCKSTEP_CHECK(add({.text = again ? "Concat + 1x1 convolution, which the fault strikes too"
                                      : "Concat + 1x1 convolution, which the fault does not know",
                        .cost = concat_cost(),
                        .one_scale = true,
                        .struck = again}));
    LOCKSTEP_CHECK(add_folded(true));
    LOCKSTEP_CHECK(add_folded(false));
    LOCKSTEP_CHECK(add_wide());
    return std::move(made_);
  }

 private:
  // The causes at sums; false where there is nothing to simulate.
  bool prepare() {
    cause_ = v_.suspects.empty() ? nullptr : v_.suspects[0].cause();
    num_ = e_.arithmetic().numerics->quantize;
    if (!cause_ || cause_->fault->stage != Stage::node || c_.recorded.sent.empty() ||
        c_.recorded.sent[0].empty())
      return false;
    const NodeId first = g_.find_node(cause_->site);
    if (first == no_id || !is_sum(g_.node(first))) return false;
    for (const FaultSpec& spec : believed(v_)) {
      const NodeId n = spec.fault->stage == Stage::node ? g_.find_node(spec.node) : no_id;
      if (n == no_id) continue;
      specs_.push_back(spec);
      if (is_sum(g_.node(n)) && !at_sum(n)) sums_.push_back(n);
    }
    std::int64_t macs = 1;
    for (const Node& n : g_.nodes())
      if (const OpDef* op = find_op(n.op); op && op->cost) macs += op->cost({g_, n}).macs;
    samples_ = std::min({c_.recorded.sent.size(), most_samples,
                         static_cast<std::size_t>(std::max<std::int64_t>(1, most_macs / macs))});
    for (const ValueId id : g_.outputs()) wanted_.push_back(g_.value(id).name);
    at_ = g_.value(codes_behind(g_, g_.node(first).outputs[0])).name;
    if (std::ranges::find(wanted_, at_) == wanted_.end()) wanted_.push_back(at_);
    return num_ != nullptr;
  }

  bool at_sum(NodeId n) const { return std::ranges::find(sums_, n) != sums_.end(); }

  Result<void> add(const Plan& plan) {
    RunOptions options;
    options.state = c_.recorded.state;
    for (const NodeHook& h : faulty_.node_hooks) {
      if (!at_sum(h.node)) {
        options.node_hooks.push_back(h);
        continue;
      }
      auto change = changed(h, plan);
      if (!change) return {};
      options.node_hooks.push_back({h.node, std::move(*change), h.also});
    }
    auto made = e_.run(c_.recorded.sent.first(samples_), wanted_, options);
    if (!made.ok()) return {};  // a rewrite that cannot be run here is left out
    return judge(plan.text, plan.cost, *made, e_);
  }

  std::string cpu_cost() const {
    const Form form{.text = "", .struck = false};
    RewriteCost all;
    for (const NodeId n : sums_) all.add(RewriteNode(e_, n, specs_[0]).cost(form));
    return all.text(form);
  }

  // 1x1 convolutions over both operands' channels, and the bytes of both side by side.
  std::string concat_cost() const {
    std::int64_t macs = 0, bytes = 0;
    for (const NodeId n : sums_) {
      const Shape& y = NodeView{g_, g_.node(n)}.output(0).shape;
      const std::int64_t channels =
          y.size() < 2 ? 1 : y[g_.format() == "tflite" ? y.size() - 1 : 1];
      macs += 2 * count_of(y) * channels;
      bytes += 2 * count_of(y);
    }
    return fmt::format("{} more operation{}, {} MACs and {} bytes of activations more",
                       sums_.size(), sums_.size() > 1 ? "s" : "", macs, bytes);
  }

  // The hook of one sum under the plan; nothing when its grids are not known.
  std::optional<Change> changed(const NodeHook& h, const Plan& plan) const {
    const Node& node = g_.node(h.node);
    const auto a = grid_of(g_, node.inputs[0]), b = grid_of(g_, node.inputs[1]),
               y = grid_behind(g_, node.outputs[0]);
    if (!a || !b || !y) return {};
    Grid both = a->step > b->step ? *a : *b;
    both.step = std::max(a->most(), b->most()) / static_cast<double>(both.high - both.zero);
    const Grid coarse{y->step * plan.coarser_output, y->zero, y->low, y->high};
    return [this, h, plan, both, coarse](std::span<const Tensor* const> in, std::span<Tensor> out,
                                         std::span<const Tensor> previous) -> Result<void> {
      const Node& n = g_.node(h.node);
      Tensor x[] = {*in[0], *in[1]};
      if (plan.one_scale)
        for (const std::size_t i : {0u, 1u})
          x[i] = on_grid(x[i], g_.value(n.inputs[i]).quant, both, *num_);
      if (plan.swapped && (x[0].shape() != x[1].shape() ||
                           g_.value(n.inputs[0]).quant != g_.value(n.inputs[1]).quant))
        return swapped_codes(h, in, out, previous);
      if (plan.swapped) std::swap(x[0], x[1]);
      std::vector<const Tensor*> seen(in.begin(), in.end());
      seen[0] = &x[0];
      seen[1] = &x[1];
      LOCKSTEP_TRY(std::vector<Tensor> made,
                   e_.run_node(h.node, std::span(seen).first(n.inputs.size())));
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::move(made[i]);
      if (plan.struck) LOCKSTEP_CHECK(h.change(seen, out, previous));
      if (plan.coarser_output != 1) {
        const Value& v = g_.value(n.outputs[0]);
        out[0] = on_grid(out[0], v.quant, coarse, *num_);
      }
      return {};
    };
  }

  // Operands of unlike grids cannot trade places in their own codes: the fault is replayed as it
  // is.
  static Result<void> swapped_codes(const NodeHook&, std::span<const Tensor* const>,
                                    std::span<Tensor>, std::span<const Tensor>) {
    return Error{"rewrite", "operands of other scales", "operands in reals or of one scale", ""};
  }

  // No Add is left that the fault could strike.
  Result<void> add_folded(bool per_channel) {
    double vanished = 0;
    RunOptions options;
    options.state = c_.recorded.state;
    for (const NodeHook& h : faulty_.node_hooks) {
      if (!at_sum(h.node)) {
        options.node_hooks.push_back(h);
        continue;
      }
      const auto grid = grid_behind(g_, g_.node(h.node).outputs[0]);
      auto folded = fold_identity(e_, h.node, per_channel);
      if (!folded || !grid) return {};
      vanished = std::max(vanished, folded->vanished);
      options.node_hooks.push_back(
          {h.node,
           [this, folded = std::move(*folded), grid = *grid, n = h.node](
               std::span<const Tensor* const> in, std::span<Tensor> out, auto) -> Result<void> {
             const Value& v = g_.value(g_.node(n).outputs[0]);
             const Value& x = g_.value(g_.node(n).inputs[folded.identity]);
             LOCKSTEP_TRY(const Tensor reals, folded.run(*in[folded.identity], x.quant));
             for (std::int64_t i = 0; i < out[0].count(); ++i) {
               const std::int32_t code = num_->quantize(
                   static_cast<float>(reals.number(i)), static_cast<float>(grid.step), grid.zero,
                   static_cast<std::int32_t>(grid.low), static_cast<std::int32_t>(grid.high));
               if (is_float(v.dtype))
                 out[0].set_number(
                     i, num_->dequantize(code, static_cast<float>(grid.step), grid.zero));
               else
                 out[0].set_code(i, code);
             }
             return {};
           },
           {}});
    }
    auto made = e_.run(c_.recorded.sent.first(samples_), wanted_, options);
    if (!made.ok()) return {};
    return judge(
        fmt::format("identity folded into the convolution, {}: no Add is left, {:.0f} % of the "
                    "branch's weights vanish",
                    per_channel ? "weight scales per channel" : "one weight scale", 100 * vanished),
        "1 operation less", *made, e_);
  }

  // 16-bit steps are 256 times finer: simulated without any rounding, with the ranges of the codes.
  Result<void> add_wide() {
    const auto wide = Executor::make(g_, *find_arithmetic("float"));
    if (!wide.ok()) return {};
    std::vector<FaultSpec> specs = specs_;
    for (FaultSpec& s : specs)
      if (const auto other = s.params.find("other"); other != s.params.end()) {
        const auto id = static_cast<ValueId>(other->second);
        if (id < 0 || static_cast<std::size_t>(id) >= g_.values().size()) return {};
        other->second = wide->graph().find_value(g_.value(id).name);
      }
    auto options = inject(*wide, specs);
    if (!options.ok()) return {};
    options->state = c_.recorded.state;
    const auto made = wide->run(c_.recorded.sent.first(samples_), wanted_, *options);
    if (!made.ok()) return {};
    return judge("16-bit activations, simulated without rounding", "twice the bytes of activations",
                 *made, *wide);
  }

  Result<void> judge(const std::string& text, const std::string& cost, const Capture& made,
                     const Executor& by) {
    double output = 1, at = 1;
    for (const std::string& name : wanted_) {
      Meter meter;
      const QuantParams q = step_of(g_, g_.find_value(name));
      const QuantParams other =
          is_integer(by.graph().value(by.graph().find_value(name)).dtype) ? q : QuantParams{};
      for (std::size_t s = 0; s < made.samples.size(); ++s) {
        const auto it = std::as_const(right_.samples[s]).find(name),
                   got = made.samples[s].find(name);
        if (it != right_.samples[s].end() && got != made.samples[s].end())
          LOCKSTEP_CHECK(meter.add(it->second, q, got->second, other));
      }
      const double cosine = meter.metrics().count ? meter.metrics().cosine : 1;
      (name == at_ ? at : output) = std::min(name == at_ ? at : output, cosine);
    }
    if (made_.empty() && before_output_ > 1) before_output_ = output, before_at_ = at;
    const auto heals = [](double cosine, double before) {
      return 1 - cosine <= remaining * (1 - before) + 1e-6;
    };
    const bool holds = std::min(output, at) >= rewrite_gate && heals(output, before_output_) &&
                       heals(at, before_at_);
    made_.push_back({text + fmt::format(" ({:.3f} at the operation; {})",
                                        std::floor(at * 1e3 + 1e-9) / 1e3, cost),
                     output, holds});
    return {};
  }

  const Case& c_;
  const Verdict& v_;
  const Executor& e_;
  const Graph& g_;
  const Explanation* cause_ = nullptr;
  const QuantizePolicy* num_ = nullptr;
  std::vector<FaultSpec> specs_;
  std::vector<NodeId> sums_;
  std::size_t samples_ = 0;
  std::vector<std::string> wanted_;
  std::string at_;
  RunOptions faulty_;
  Capture right_;  // what the reference makes
  double before_output_ = 2,
         before_at_ = 2;  // cosines with the fault and no rewrite; 2: not yet measured
  std::vector<Rewrite> made_;
};

}  // namespace

Result<std::vector<Rewrite>> simulate_rewrites(const Case& c, const Verdict& verdict) {
  LOCKSTEP_TRY(std::vector<Rewrite> made, Simulator(c, verdict).run());
  return made.empty() ? simulate_sum_rewrites(c, verdict) : made;
}

}  // namespace lockstep
