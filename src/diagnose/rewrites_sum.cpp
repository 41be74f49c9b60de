// Rewrites of an operation that a found cause makes wrong, at every operation of the cause's scope:
// each is built as the network's own node cut out and changed, and run on the captured inputs under
// that very cause.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "diagnose/rewrite_node.h"
#include "diagnose/rewrites.h"
#include "diagnose/scope.h"

namespace lockstep {
namespace {

constexpr std::size_t most_samples = 8, most_nodes = 32;
constexpr double remaining =
    0.25;  // of the distance to a cosine of 1: what a rewrite that holds may leave

class NodeRewrites {
 public:
  NodeRewrites(const Case& c, const Verdict& v) : c_(c), v_(v), e_(c.reference), g_(e_.graph()) {}

  Result<std::vector<Rewrite>> run() {
    if (!prepare()) return std::vector<Rewrite>();
    LOCKSTEP_CHECK(run_right());
    LOCKSTEP_CHECK(add({.text = "as it is"}));
    if (made_.empty()) return made_;
    made_.clear();
    const std::string these =
        nodes_.size() > 1 ? fmt::format("these {} operations", nodes_.size()) : "this operation";
    LOCKSTEP_CHECK(add({.text = these + " on the CPU", .struck = false}));
    if (refers_to_tensors()) return std::move(made_);
    const RewriteNode& first = nodes_[0];
    if (first.has_weights_on_codes()) LOCKSTEP_CHECK(forms_of_sums(first));
    if (first.combines_codes()) LOCKSTEP_CHECK(forms_of_combinations(first));
    return std::move(made_);
  }

 private:
  Result<void> forms_of_sums(const RewriteNode& first) {
    const NodeView n = first.view();
    for (const int groups : {2, 4, 8})
      LOCKSTEP_CHECK(add(
          {.text = fmt::format("split into {} groups of input channels, added afterwards", groups),
           .groups = groups}));
    LOCKSTEP_CHECK(add({.text = "weights of 7 bits", .half = true}));
    if (n.input(1).quant.per_channel())
      LOCKSTEP_CHECK(add({.text = "one weight scale for all output channels", .one_scale = true}));
    LOCKSTEP_CHECK(add({.text = "output scale twice as large", .coarser = 2}));
    if (n.output(0).quant.zero_at(0) != 0)
      LOCKSTEP_CHECK(add({.text = "output quantized symmetrically", .symmetric_out = true}));
    if (n.input(0).quant.zero_at(0) != 0)
      LOCKSTEP_CHECK(add({.text = "input quantized symmetrically", .symmetric_in = true}));
    if (n.attrs().text("activation", "none") != "none")
      LOCKSTEP_CHECK(add({.text = "the activation as an operation of its own", .own_clamp = true}));
    if (n.node.op == "Conv" && first.pads())
      LOCKSTEP_CHECK(add({.text = "padding as an operation of its own", .own_pad = true}));
    return {};
  }

  Result<void> forms_of_combinations(const RewriteNode& first) {
    const NodeView n = first.view();
    if (n.node.op == "Mul")
      LOCKSTEP_CHECK(add({.text = "operands in the other order", .swapped = true}));
    LOCKSTEP_CHECK(add({.text = "output scale twice as large", .coarser = 2}));
    LOCKSTEP_CHECK(add({.text = "one scale for all operands", .one_operand_grid = true}));
    if (n.node.op == "Concat")
      LOCKSTEP_CHECK(add({.text = "every operand requantized to the output's scale beforehand",
                          .output_grid = true}));
    LOCKSTEP_CHECK(add({.text = "operands quantized symmetrically", .symmetric_in = true}));
    if (n.output(0).quant.zero_at(0) != 0)
      LOCKSTEP_CHECK(add({.text = "output quantized symmetrically", .symmetric_out = true}));
    return {};
  }

  bool prepare() {
    cause_ = v_.suspects.empty() ? nullptr : v_.suspects[0].cause();
    if (!cause_ || !e_.arithmetic().numerics->quantize || cause_->fault->stage != Stage::node ||
        c_.recorded.sent.empty() || c_.recorded.sent[0].empty())
      return false;
    const NodeId node = g_.find_node(cause_->site);
    if (node == no_id || (g_.node(node).op == "Add" && g_.node(node).inputs.size() == 2))
      return false;  // has rewrites of its own
    for (const FaultSpec& spec : believed(v_)) {
      if (spec.fault->stage != Stage::node) continue;
      const NodeId n = g_.find_node(spec.node);
      if (spec.fault == cause_->fault && n != no_id && nodes_.size() < most_nodes &&
          !holds(spec.node)) {
        nodes_.emplace_back(e_, n, spec);
      } else {
        elsewhere_.push_back(spec);
      }
    }
    if (nodes_.empty()) return false;
    samples_ = std::min(c_.recorded.sent.size(), most_samples);
    for (const ValueId id : g_.outputs()) wanted_.push_back(g_.value(id).name);
    at_ = g_.value(g_.node(node).outputs[0]).name;
    if (std::ranges::find(wanted_, at_) == wanted_.end()) wanted_.push_back(at_);
    return true;
  }

  bool holds(const std::string& node) const {
    return std::ranges::any_of(nodes_,
                               [&](const RewriteNode& n) { return g_.node(n.id()).name == node; });
  }

  // A parameter that numbers a tensor of the whole network means nothing to a part of it.
  bool refers_to_tensors() const {
    return cause_->fault->reads || cause_->params.contains("other") || cause_->listed;
  }

  // What the reference makes, with what the rewritten nodes read there.
  Result<void> run_right() {
    std::vector<std::string> names = wanted_;
    for (const RewriteNode& n : nodes_)
      for (const ValueId in : g_.node(n.id()).inputs)
        if (in != no_id && !g_.value(in).constant &&
            std::ranges::find(names, g_.value(in).name) == names.end())
          names.push_back(g_.value(in).name);
    RunOptions options;
    options.state = c_.recorded.state;
    LOCKSTEP_TRY(right_, e_.run(c_.recorded.sent.first(samples_), names, options));
    return {};
  }

  std::vector<std::vector<Tensor>> inputs_of(const RewriteNode& n) const {
    std::vector<std::vector<Tensor>> runs;
    for (const Sample& s : right_.samples) {
      std::vector<Tensor>& in = runs.emplace_back();
      for (const ValueId v : g_.node(n.id()).inputs) {
        const Tensor* t = v == no_id || g_.value(v).constant ? nullptr : &s.at(g_.value(v).name);
        in.push_back(t ? *t : Tensor{});
      }
    }
    return runs;
  }

  Result<void> add(const Form& form) {
    const bool as_it_is = form.text == "as it is";
    std::vector<FaultSpec> faults = elsewhere_;
    if (as_it_is)
      for (const FaultSpec& spec : believed(v_))
        if (spec.fault->stage == Stage::node) faults.push_back(spec);
    LOCKSTEP_TRY(RunOptions options, inject(e_, faults));
    options.state = c_.recorded.state;
    RewriteCost all;
    for (const RewriteNode& n : nodes_) all.add(n.cost(form));
    std::string cost = as_it_is ? "" : all.text(form);
    bool reached = false;
    if (form.struck && !as_it_is)
      for (const RewriteNode& n : nodes_) {
        LOCKSTEP_TRY(auto parts, n.parts(form, inputs_of(n)));
        if (!parts && &n == &nodes_[0]) return {};
        if (!parts) {  // this one stays as it is
          const FaultSpec spec{cause_->fault, g_.node(n.id()).name, cause_->params};
          LOCKSTEP_TRY(RunOptions same, inject(e_, std::span(&spec, 1)));
          std::ranges::move(same.node_hooks, std::back_inserter(options.node_hooks));
          continue;
        }
        const auto shared = std::make_shared<std::vector<Part>>(std::move(*parts));
        reached = reached || std::ranges::any_of(*shared, &Part::reached);
        options.node_hooks.push_back(
            {n.id(),
             [&n, shared](std::span<const Tensor* const> in, std::span<Tensor> out,
                          auto) -> Result<void> { return n.combine(*shared, in, out[0]); },
             {}});
      }
    if (form.struck && !as_it_is && !reached) cost += ", the fault does not reach it";
    const auto made = e_.run(c_.recorded.sent.first(samples_), wanted_, options);
    if (!made.ok()) return {};  // a rewrite that cannot be run here is left out
    return judge(form.text, cost, *made);
  }

  Result<void> judge(const std::string& text, const std::string& cost, const Capture& made) {
    double output = 1, at = 1;
    for (const std::string& name : wanted_) {
      Meter meter;
      const QuantParams q = step_of(g_, g_.find_value(name));
      for (std::size_t s = 0; s < made.samples.size(); ++s) {
        const auto it = std::as_const(right_.samples[s]).find(name),
                   got = made.samples[s].find(name);
        if (it != right_.samples[s].end() && got != made.samples[s].end())
          LOCKSTEP_CHECK(meter.add(it->second, q, got->second, q));
      }
      const double cosine = meter.metrics().count ? meter.metrics().cosine : 1;
      (name == at_ ? at : output) = std::min(name == at_ ? at : output, cosine);
    }
    if (std::ranges::find(g_.outputs(), g_.find_value(at_)) != g_.outputs().end())
      output = std::min(output, at);
    if (made_.empty() && before_output_ > 1) before_output_ = output, before_at_ = at;
    const auto heals = [](double cosine, double before) {
      return 1 - cosine <= remaining * (1 - before) + 1e-6;
    };
    const bool holds = std::min(output, at) >= rewrite_gate && heals(output, before_output_) &&
                       heals(at, before_at_);
    made_.push_back(
        {text + fmt::format(" ({:.3f} at the operation{}{})", std::floor(at * 1e3 + 1e-9) / 1e3,
                            cost.empty() ? "" : "; ", cost),
         output, holds});
    return {};
  }

  const Case& c_;
  const Verdict& v_;
  const Executor& e_;
  const Graph& g_;
  const Explanation* cause_ = nullptr;
  std::vector<RewriteNode>
      nodes_;  // all that the cause strikes; the first is the first wrong operation
  std::vector<FaultSpec> elsewhere_;  // other causes, which stay
  std::size_t samples_ = 0;
  std::vector<std::string> wanted_;
  std::string at_;
  Capture right_;
  double before_output_ = 2,
         before_at_ = 2;  // cosines with the fault and no rewrite; 2: not yet measured
  std::vector<Rewrite> made_;
};

}  // namespace

Result<std::vector<Rewrite>> simulate_sum_rewrites(const Case& c, const Verdict& verdict) {
  return NodeRewrites(c, verdict).run();
}

}  // namespace lockstep
