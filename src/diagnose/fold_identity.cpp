#include "diagnose/fold_identity.h"

#include <algorithm>
#include <cmath>

#include "diff/diff.h"
#include "measure/reals.h"

namespace lockstep {
namespace {

bool passes_through(const Node& n) {
  return n.op == "QuantizeLinear" || n.op == "DequantizeLinear" || n.op == "Identity" ||
         n.op == "Clip";
}

// The value behind quantizers and dequantizers.
ValueId root(const Graph& g, ValueId id) {
  while (id != no_id && g.value(id).producer != no_id &&
         passes_through(g.node(g.value(id).producer)))
    id = g.node(g.value(id).producer).inputs[0];
  return id;
}

// The convolution at the beginning of a branch of movements; no_id when there is none.
NodeId convolution_of(const Graph& g, ValueId id) {
  for (int depth = 0; depth < 16 && id != no_id && g.value(id).producer != no_id; ++depth) {
    const NodeId n = g.value(id).producer;
    if (g.node(n).op == "Conv") return n;
    if (!passes_through(g.node(n)) && !only_moves(g.node(n))) return no_id;
    id = g.node(n).inputs[0];
  }
  return no_id;
}

class Folder {
 public:
  // `e` computes in reals.
  Folder(std::shared_ptr<const Executor> e, ValueId branch, NodeId conv)
      : e_(std::move(e)), branch_(branch), conv_(conv) {}

  // Weights and bias as the network has them; false when they are no constants or of another form.
  bool read() {
    const Node& c = node();
    if (c.attrs.integer("group", 1) != 1 || c.inputs.size() < 2) return false;
    if (!constant(c.inputs[1], w_) || w_.shape().size() < 3 || w_.shape()[0] != w_.shape()[1])
      return false;
    return c.inputs.size() < 3 || c.inputs[2] == no_id || constant(c.inputs[2], b_);
  }

  // The tap through which x alone passes unchanged; -1 when there is none.
  std::int64_t tap_of(const Tensor& x) const {
    const std::int64_t taps = w_.count() / (w_.shape()[0] * w_.shape()[1]);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      Tensor w(DType::f32, w_.shape());
      add_identity(w, tap, 1);
      const auto y = run(x, w, false);
      if (y.ok() && y->count() == x.count() && std::ranges::equal(y->bytes(), x.bytes()))
        return tap;
    }
    return -1;
  }

  // Returns the share of the branch's weights that become nothing.
  double fold(std::int64_t tap, bool per_channel) {
    const Tensor branch = w_;
    add_identity(w_, tap, 1);
    const std::int64_t per = w_.count() / (per_channel ? w_.shape()[0] : 1);
    std::int64_t had = 0, vanished = 0;
    for (std::int64_t first = 0; first < w_.count(); first += per) {  // int8, symmetric
      double most = 0;
      for (std::int64_t i = first; i < first + per; ++i)
        most = std::max(most, std::abs(w_.number(i)));
      const double step = most / 127;
      for (std::int64_t i = first; i < first + per && step > 0; ++i) {
        const double code = std::floor(w_.number(i) / step + 0.5);
        had += branch.number(i) != 0;
        vanished += branch.number(i) != 0 && code == 0;
        w_.set_number(i, step * code);
      }
    }
    return had ? static_cast<double>(vanished) / static_cast<double>(had) : 0;
  }

  Result<Tensor> run(const Tensor& x, const Tensor& w, bool with_bias) const {
    const Node& c = node();
    std::vector<const Tensor*> in = {&x, &w};
    Tensor none;
    if (c.inputs.size() > 2 && c.inputs[2] != no_id) {
      none = Tensor(DType::f32, b_.shape());
      in.push_back(with_bias ? &b_ : &none);
    }
    LOCKSTEP_TRY(std::vector<Tensor> made, e_->run_node(conv_, in));
    // Only the movements behind it: a clamp to the branch's own codes is gone with the branch.
    return moved(std::move(made[0]));
  }
  const Tensor& weights() const { return w_; }

 private:
  const Node& node() const { return e_->graph().node(conv_); }

  bool constant(ValueId id, Tensor& t) const {
    const Graph& g = e_->graph();
    const std::string name[] = {g.value(id).name};
    if (g.value(id).constant)
      t = *g.value(id).constant;
    else if (const auto made = e_->run_from({}, name); made.ok() && made->contains(name[0]))
      t = made->at(name[0]);
    else
      return false;
    return t.dtype() == DType::f32;
  }

  static void add_identity(Tensor& w, std::int64_t tap, double one) {
    const std::int64_t in = w.shape()[1], taps = w.count() / (w.shape()[0] * in);
    for (std::int64_t c = 0; c < in; ++c) {
      const std::int64_t at = (c * in + c) * taps + tap;
      w.set_number(at, w.number(at) + one);
    }
  }

  Result<Tensor> moved(Tensor t) const {
    const Graph& g = e_->graph();
    std::vector<NodeId> path;
    for (ValueId id = branch_; g.value(id).producer != conv_; id = g.node(path.back()).inputs[0])
      path.push_back(g.value(id).producer);
    for (auto it = path.rbegin(); it != path.rend(); ++it) {
      if (passes_through(g.node(*it))) continue;
      const Tensor* in[] = {&t};
      LOCKSTEP_TRY(std::vector<Tensor> made, e_->run_node(*it, in));
      t = std::move(made[0]);
    }
    return t;
  }

  std::shared_ptr<const Executor> e_;
  ValueId branch_;
  NodeId conv_;
  Tensor w_, b_;
};

}  // namespace

std::optional<FoldedIdentity> fold_identity(const Executor& reference, NodeId sum,
                                            bool per_channel) {
  const Graph& g = reference.graph();
  auto made = Executor::make(g, *find_arithmetic("float"));
  if (!made.ok()) return {};
  const auto reals = std::make_shared<const Executor>(std::move(*made));
  const Graph& r = reals->graph();
  const NodeId twin = r.find_node(g.node(sum).name);
  if (twin == no_id || r.node(twin).inputs.size() != 2) return {};
  for (const std::size_t branch : {0u, 1u}) {
    const ValueId from = r.node(twin).inputs[branch], identity = r.node(twin).inputs[1 - branch];
    const NodeId conv = convolution_of(r, from);
    if (conv == no_id || root(r, r.node(conv).inputs[0]) != root(r, identity)) continue;
    Folder folder(reals, from, conv);
    if (!folder.read()) continue;
    Tensor probe(DType::f32, r.value(identity).shape);
    for (std::int64_t i = 0; i < probe.count(); ++i)
      probe.set_number(i, static_cast<double>(i % 97 + 1));
    const std::int64_t tap = folder.tap_of(probe);
    if (tap < 0) continue;
    const double vanished = folder.fold(tap, per_channel);
    return FoldedIdentity{1 - branch, vanished,
                          [folder](const Tensor& x, const QuantParams& quant) -> Result<Tensor> {
                            Tensor t(DType::f32, x.shape());
                            const std::vector<double> numbers =
                                reals_of(x, is_integer(x.dtype()) ? quant : QuantParams{});
                            for (std::int64_t i = 0; i < t.count(); ++i)
                              t.set_number(i, numbers[static_cast<std::size_t>(i)]);
                            return folder.run(t, folder.weights(), true);
                          }};
  }
  return {};
}

}  // namespace lockstep
