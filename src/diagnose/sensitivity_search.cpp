// The smallest changes that reach an output, found by running the network: never by a bound.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "diagnose/sensitivity.h"
#include "diff/diff.h"

namespace lockstep {
namespace {

constexpr int most_steps = 255;

// The step of a network input: its own, else that of the quantizer that reads it.
QuantParams input_step(const Graph& g, ValueId id) {
  if (const QuantParams q = step_of(g, id); q.quantized()) return q;
  for (const NodeId n : g.consumers(id)) {
    const Node& node = g.node(n);
    if (node.outputs.empty() || node.outputs[0] == no_id) continue;
    const Value& y = g.value(node.outputs[0]);
    if (node.op == "QuantizeLinear" && y.quant.quantized()) return y.quant;
  }
  return {};
}

std::string place(const Value& v, std::int64_t element) {
  const Shape strides = strides_of(v.shape);
  std::vector<std::int64_t> at;
  for (const std::int64_t s : strides) at.push_back(element / s), element %= s;
  return v.name + shape_text(at);
}

class Search {
 public:
  using Progress = std::function<void(const std::string&)>;
  Search(const Executor& e, const InputPair& pair, std::int64_t runs, const Progress& progress)
      : e_(e), g_(e.graph()), a_(pair.first), b_(pair.second), runs_(runs), progress_(progress) {
    for (const ValueId id : g_.outputs()) outputs_.push_back(g_.value(id).name);
  }

  Result<std::vector<SmallestChange>> run() {
    LOCKSTEP_TRY(Capture base, e_.run({&a_, 1}, outputs_));
    base_ = std::move(base.samples[0]);
    std::vector<SmallestChange> found;
    for (const ValueId id : g_.inputs()) {
      const Value& v = g_.value(id);
      step_ = input_step(g_, id);
      if (!step_.quantized() || (!is_float(v.dtype) && size_of(v.dtype) != 1)) continue;
      LOCKSTEP_TRY(SmallestChange one, one_element(v));
      LOCKSTEP_TRY(SmallestChange all, every_element(v));
      found.push_back(std::move(one));
      found.push_back(std::move(all));
    }
    if (a_ != b_) {
      LOCKSTEP_TRY(SmallestChange far, along_difference());
      found.push_back(std::move(far));
    }
    return found;
  }

 private:
  // Whether an output of `x` differs from that of the first input.
  Result<bool> reaches(const Sample& x) {
    ++tried_;
    if (progress_)
      progress_(
          fmt::format("looking for the smallest change that reaches the output: run {}", ++run_));
    LOCKSTEP_TRY(const Capture made, e_.run({&x, 1}, outputs_));
    return made.samples[0] != base_;
  }

  // Moves an element by `steps`; codes stop at their rails. False: nothing moved.
  bool move(Tensor& t, std::int64_t i, int steps) const {
    if (is_float(t.dtype())) {
      t.set_number(i, t.number(i) + steps * step_.scale[0]);
      return true;
    }
    const CodeRange range = code_range(t.dtype());
    const std::int64_t before = t.code(i),
                       after = std::clamp(before + steps, range.low, range.high);
    t.set_code(i, after);
    return after != before;
  }

  Result<bool> one_reaches(const Value& v, std::int64_t i, int steps) {
    Sample x = a_;
    if (!move(x.at(v.name), i, steps)) return false;
    return reaches(x);
  }

  // Evenly spread elements, each moved up and down by one step less than the best so far; where
  // that reaches an output, halved until it no longer does.
  Result<SmallestChange> one_element(const Value& v) {
    SmallestChange s{
        .kind = "one element", .found = false, .amount = 0, .in_steps = true, .where = v.name};
    tried_ = 0;
    const std::int64_t count = count_of(v.shape), budget = std::max<std::int64_t>(4, runs_ / 2);
    const std::int64_t stride = std::max<std::int64_t>(1, 2 * count / budget);
    s.of = count;
    int best = most_steps + 1;
    for (std::int64_t i = 0; i < count && best > 1 && tried_ < budget; i += stride, ++s.elements)
      for (const int sign : {1, -1}) {
        if (best == 1) break;
        LOCKSTEP_TRY(const bool far, one_reaches(v, i, sign * (best - 1)));
        if (!far) continue;
        int reaching = best - 1, silent = 0;
        while (reaching - silent > 1) {
          const int middle = (reaching + silent) / 2;
          LOCKSTEP_TRY(const bool there, one_reaches(v, i, sign * middle));
          (there ? reaching : silent) = middle;
        }
        best = reaching;
        s.found = true;
        s.amount = sign * reaching;
        s.where = place(v, i);
      }
    s.tried = tried_;
    return s;
  }

  Result<SmallestChange> every_element(const Value& v) {
    SmallestChange s{
        .kind = "every element", .found = false, .amount = 0, .in_steps = true, .where = v.name};
    tried_ = 0;
    for (int steps = 1; steps <= most_steps && tried_ < runs_ / 2 && !s.found; ++steps)
      for (const int sign : {1, -1}) {
        Sample x = a_;
        Tensor& t = x.at(v.name);
        bool moved = false;
        for (std::int64_t i = 0; i < t.count(); ++i) moved = move(t, i, sign * steps) || moved;
        if (!moved) continue;
        LOCKSTEP_TRY(const bool there, reaches(x));
        if (!there) continue;
        s.found = true;
        s.amount = sign * steps;
        break;
      }
    s.tried = tried_;
    return s;
  }

  // a + t (b - a), codes rounded and held inside their range.
  Sample between(double t) const {
    Sample x = a_;
    for (auto& [name, tensor] : x) {
      const auto other = b_.find(name);
      if (other == b_.end()) continue;
      for (std::int64_t i = 0; i < tensor.count(); ++i) {
        const double a = tensor.number(i), y = a + t * (other->second.number(i) - a);
        if (is_float(tensor.dtype())) {
          tensor.set_number(i, y);
        } else {
          const CodeRange range = code_range(tensor.dtype());
          const double code = std::clamp(std::floor(y + 0.5), static_cast<double>(range.low),
                                         static_cast<double>(range.high));
          tensor.set_code(i, static_cast<std::int64_t>(code));
        }
      }
    }
    return x;
  }

  Result<SmallestChange> along_difference() {
    SmallestChange s{
        .kind = "their difference", .found = false, .amount = 0, .in_steps = false, .where = ""};
    tried_ = 0;
    double silent = 0, reaching = 0;
    for (double t = 1; t <= 1024 && reaching == 0; t *= 2) {
      LOCKSTEP_TRY(const bool there, reaches(between(t)));
      if (there)
        reaching = t;
      else
        silent = t;
    }
    for (int i = 0; i < 12 && reaching > 0; ++i) {
      const double middle = 0.5 * (silent + reaching);
      LOCKSTEP_TRY(const bool there, reaches(between(middle)));
      (there ? reaching : silent) = middle;
    }
    s.found = reaching > 0;
    s.amount = reaching;
    s.tried = tried_;
    return s;
  }

  const Executor& e_;
  const Graph& g_;
  const Sample &a_, &b_;
  const std::int64_t runs_;
  const Progress& progress_;
  std::int64_t run_ = 0;
  std::vector<std::string> outputs_;
  Sample base_;
  QuantParams step_;
  std::int64_t tried_ = 0;
};

// The codes made of a softmax: its own result, or what the quantizer behind it makes.
ValueId codes_of(const Graph& g, ValueId id) {
  if (is_integer(g.value(id).dtype)) return id;
  for (const NodeId n : g.consumers(id))
    if (g.node(n).op == "QuantizeLinear") return g.node(n).outputs[0];
  return no_id;
}

class Logits {
 public:
  Logits(const Executor& e, const Sample& all, NodeId node)
      : e_(e), g_(e.graph()), node_(g_.node(node)), x_(g_.value(node_.inputs[0])), all_(all) {}

  Result<SoftmaxReach> run(ValueId codes) {
    SoftmaxReach s;
    s.node = node_.name;
    s.logits = x_.name;
    s.has_codes = true;
    q_ = step_of(g_, node_.inputs[0]);
    wanted_ = {g_.value(codes).name};
    const Tensor& x = all_.at(x_.name);
    s.step = q_.scale[0];
    for (std::int64_t i = 1; i < x.count(); ++i)
      if (x.number(i) > x.number(top_)) top_ = i;
    double second = -INFINITY;
    for (std::int64_t i = 0; i < x.count(); ++i)
      if (i != top_) second = std::max(second, x.number(i));
    const double per_step = is_integer(x_.dtype) ? 1 : s.step;
    s.gap = (x.number(top_) - second) / per_step;
    const CodeRange range = code_range(is_integer(x_.dtype) ? x_.dtype : DType::i8);
    const double code =
        is_integer(x_.dtype) ? x.number(top_) : x.number(top_) / s.step + q_.zero_at(0);
    s.room = static_cast<std::int64_t>(static_cast<double>(range.high) - code + 0.5);
    LOCKSTEP_TRY(base_, softmax(x));
    for (std::int64_t i = 0; i < base_.count(); ++i) s.codes.push_back(base_.code(i));
    LOCKSTEP_TRY(s.up, least(1, s.room));
    LOCKSTEP_TRY(s.down, least(-1, static_cast<std::int64_t>(code + 0.5) - range.low));
    return s;
  }

 private:
  Result<Tensor> softmax(const Tensor& x) const {
    LOCKSTEP_TRY(Sample made, e_.run_from({{x_.name, x}}, wanted_));
    return std::move(made.at(wanted_[0]));
  }

  Result<int> least(int sign, std::int64_t room) const {
    for (int n = 1; n <= std::min<std::int64_t>(room, most_steps); ++n) {
      Tensor x = all_.at(x_.name);
      if (is_integer(x_.dtype))
        x.set_code(top_, x.code(top_) + sign * n);
      else
        x.set_number(top_, x.number(top_) + sign * n * q_.scale[0]);
      LOCKSTEP_TRY(const Tensor made, softmax(x));
      if (!(made == base_)) return n;
    }
    return 0;
  }

  const Executor& e_;
  const Graph& g_;
  const Node& node_;
  const Value& x_;
  const Sample& all_;
  QuantParams q_;
  std::vector<std::string> wanted_;
  std::int64_t top_ = 0;
  Tensor base_;
};

}  // namespace

Result<std::vector<SmallestChange>> smallest_changes(
    const Executor& reference, const InputPair& pair, std::int64_t runs,
    const std::function<void(const std::string&)>& progress) {
  return Search(reference, pair, runs, progress).run();
}

Result<std::vector<SoftmaxReach>> softmax_reach(const Executor& reference, const Sample& input) {
  std::vector<SoftmaxReach> found;
  const Graph& g = reference.graph();
  std::vector<std::string> wanted;
  std::vector<std::pair<NodeId, ValueId>> places;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    if (node.op != "Softmax" || g.value(node.inputs[0]).constant) continue;
    const ValueId codes = codes_of(g, node.outputs[0]);
    const Shape& shape = g.value(node.inputs[0]).shape;
    if (codes == no_id || !step_of(g, node.inputs[0]).quantized() || shape.empty() ||
        shape.back() < 2 || count_of(shape) != shape.back())
      continue;  // one row of logits, on a grid
    places.emplace_back(static_cast<NodeId>(n), codes);
    wanted.push_back(g.value(node.inputs[0]).name);
  }
  if (places.empty()) return found;
  LOCKSTEP_TRY(const Capture made, reference.run({&input, 1}, wanted));
  for (const auto& [node, codes] : places) {
    LOCKSTEP_TRY(SoftmaxReach s, Logits(reference, made.samples[0], node).run(codes));
    found.push_back(std::move(s));
  }
  return found;
}

}  // namespace lockstep
