// y' = the node's result without its activation clamp; where that clamp is the range of the codes
// itself (zero point = least code), y' = the result modulo 2^8.
#include <algorithm>
#include <array>

#include "fault/fault_eval.h"

namespace lockstep {
namespace {

constexpr std::array<std::string_view, 4> kClamps = {"Relu", "Relu6", "Clip", "ReluN1To1"};
constexpr std::array<std::string_view, 5> kSums = {"Conv", "Gemm", "MatMul", "Add", "Sub"};

constexpr ParamSpec params[] = {{"keeps_lower",
                                 "0: both bounds are lost; 1: the lower bound (ReLU6 becomes ReLU)",
                                 0, Takes::flag()}};

bool is_clamp(const NodeView& n) {
  return std::ranges::find(kClamps, n.node.op) != kClamps.end();
}

std::string activation(const NodeView& n) {
  return n.attrs().text("activation", "none");
}

// Nothing but the range of the codes clamps: no activation, or a ReLU folded into that range.
bool folded(const NodeView& n) {
  const Value& y = n.output(0);
  return y.quant.quantized() && size_of(y.dtype) == 1 &&
         std::ranges::find(kSums, n.node.op) != kSums.end() &&
         (activation(n) == "none" ||
          (activation(n) != "relu6" && y.quant.zero_at(0) == code_range(y.dtype).low));
}

bool applies(const Site& site) {
  if (site.node == no_id) return false;
  const NodeView n = site.view();
  return is_clamp(n) || activation(n) != "none" || folded(n);
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  const NodeView n = site.view();
  std::vector<Params> sets = {Params{}};
  if (activation(n) == "relu6" || n.node.op == "Relu6" || n.node.op == "Clip")
    sets.push_back({{"keeps_lower", 1}});
  return sets;
}

std::int32_t wrapped(std::int64_t code, CodeRange range) {
  const std::int64_t span = range.high - range.low + 1;
  return static_cast<std::int32_t>(((code - range.low) % span + span) % span + range.low);
}

Result<void> without_saturation(Replay& r, ChangedNode& node) {
  const CodeRange range = code_range(node.output().dtype);
  const std::int32_t zero = node.output().quant.zero_at(0);
  node.detours().requant = [=](std::int32_t acc, const Rescale& scale, const RequantPolicy& own) {
    return wrapped(std::int64_t{own.apply(acc, scale)} + zero, range) - zero;
  };
  node.detours().binary = [=](std::int32_t a, std::int32_t b, const BinaryState& state,
                              const BinaryPolicy& own) {
    BinaryState wide = state;
    wide.s.low = -(1 << 20);
    wide.s.high = 1 << 20;
    return wrapped(own.apply(a, b, wide), range);
  };
  return node.eval_into(r);
}

// A clamp node of its own: x passes; under another quantization it is requantized.
Result<void> pass(Replay& r, bool keeps_lower) {
  const NodeView n = r.site.view();
  const Value &x = n.input(0), &y = n.output(0);
  const Tensor made = r.out[0];
  if (!y.quant.quantized() || x.quant == y.quant) {
    r.out[0] = r.in[0]->reshaped(made.shape());
  } else {
    const QuantizePolicy* policy = r.site.reference.arithmetic().numerics->quantize;
    if (!policy || !policy->requantize)
      return Error{n.where(), "no requantization in this arithmetic", "another --reference", ""};
    const CodeRange range = code_range(y.dtype);
    for (std::int64_t i = 0; i < made.count(); ++i)
      r.out[0].set_code(
          i, policy->requantize(static_cast<std::int32_t>(r.in[0]->code(i)), x.quant.scale_at(0),
                                x.quant.zero_at(0), y.quant.scale_at(0), y.quant.zero_at(0),
                                static_cast<std::int32_t>(range.low),
                                static_cast<std::int32_t>(range.high)));
  }
  if (keeps_lower)  // below the upper bound the reference is right
    for (std::int64_t i = 0; i < made.count(); ++i)
      if (r.out[0].number(i) < made.number(i)) r.out[0].set_number(i, made.number(i));
  return {};
}

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  const bool keeps_lower = param(params, r.params, "keeps_lower") != 0;
  if (is_clamp(n)) return pass(r, keeps_lower);
  ChangedNode node(r);
  const bool only_saturation = folded(n);
  node.attrs().set("activation", std::string(keeps_lower ? "relu" : "none"));
  return only_saturation ? without_saturation(r, node) : node.eval_into(r);
}

}  // namespace

extern constinit const FaultDef fault_clamp_lost = {
    .name = "clamp-lost",
    .claim =
        "the activation clamp {keeps_lower?0:is lost: values beyond its bounds pass|1:keeps "
        "its lower bound alone: values above the upper one pass}",
    .advice =
        "write the activation as an operator of its own (Relu or Clip) and check that the compiler "
        "keeps it",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::meaning,
};

}  // namespace lockstep
