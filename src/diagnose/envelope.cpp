// The legitimate envelope: what named arithmetics, and operations that round as none of them does,
// make of one model.
#include "diagnose/envelope.h"

#include <algorithm>
#include <map>

#include "base/random.h"
#include "diagnose/judge.h"
#include "diff/pair.h"
#include "diff/spread.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr double most_macs = 4e9;  // of all runs together
constexpr std::size_t most_samples = 16;
constexpr int simulated_runs = 3;

double macs_of(const Graph& g) {
  double macs = 1;
  for (const Node& n : g.nodes()) {
    const OpDef* op = find_op(n.op);
    if (op && op->cost) macs += static_cast<double>(op->cost({g, n}).macs);
    for (const ValueId v : n.outputs)
      if (v != no_id) macs += static_cast<double>(count_of(g.value(v).shape));
  }
  return macs;
}

class Measurer {
 public:
  explicit Measurer(const Case& c) : c_(c), e_(c.reference), g_(e_.graph()) {}

  Result<Envelope> run() {
    Envelope e;
    const auto others = c_.others ? c_.others() : std::span<const Executor>();
    const double each = macs_of(g_) * static_cast<double>(others.size() + simulated_runs + 2);
    e.samples = std::min({c_.recorded.sent.size(), c_.recorded.device.size(), most_samples,
                          static_cast<std::size_t>(std::max(1.0, most_macs / each))});
    const auto sent = c_.recorded.sent.first(e.samples);
    if (e.samples == 0 || sent[0].empty()) return e;
    RunOptions options;
    options.state = c_.recorded.state;
    LOCKSTEP_TRY(right_, e_.run(sent, {}, options));
    start(e);
    for (const Executor& other : others) {
      if (other.arithmetic().name == "float")
        continue;  // no way of rounding: a loss of quantization
      const auto made = other.run(sent, {}, options);
      if (!made.ok()) continue;
      const auto paired = pair_tensors(g_, *made);
      if (!paired.ok()) continue;
      e.arithmetics.emplace_back(other.arithmetic().name);
      for (EnvelopeRow& row : e.rows) widen(row, paired->samples, e.arithmetics.back());
    }
    for (int i = 0; i < simulated_runs; ++i) {
      RunOptions noisy = rounding_otherwise(g_, static_cast<std::uint64_t>(i) + 1);
      noisy.state = c_.recorded.state;
      LOCKSTEP_TRY(const Capture made, e_.run(sent, {}, noisy));
      for (EnvelopeRow& row : e.rows)
        row.simulated = std::max(row.simulated, distance(row, made.samples).first);
    }
    for (std::size_t i = 0; i < e.rows.size(); ++i) {
      EnvelopeRow& row = e.rows[i];
      row.gain = gain_at(row);
      place_device(row, e.samples);
      if (!row.inside && !e.leaves) e.leaves = i;
    }
    return e;
  }

 private:
  void start(Envelope& e) const {
    for (const Node& node : g_.nodes())
      for (const ValueId v : node.outputs) {
        if (v == no_id || g_.value(v).constant || !right_.samples[0].contains(g_.value(v).name))
          continue;
        EnvelopeRow row;
        row.tensor = g_.value(v).name;
        row.node = node.name;
        row.op = node.op;
        row.has_lsb = step_of(g_, v).quantized();
        e.rows.push_back(std::move(row));
      }
  }

  // Greatest distance from the reference, and the share of values that differ. Nothing held: 0.
  std::pair<double, double> distance(const EnvelopeRow& row,
                                     std::span<const Sample> samples) const {
    const QuantParams step = step_of(g_, g_.find_value(row.tensor));
    Meter meter;
    for (std::size_t s = 0; s < samples.size() && s < right_.samples.size(); ++s) {
      const auto made = samples[s].find(row.tensor);
      if (made == samples[s].end()) continue;
      if (!meter.add(right_.samples[s].at(row.tensor), step, made->second, step).ok())
        return {0, 0};
    }
    const Metrics m = meter.metrics();
    return {row.has_lsb ? m.max_lsb : m.max_abs, m.share_differing()};
  }

  void widen(EnvelopeRow& row, std::span<const Sample> samples, const std::string& name) const {
    const auto [far, share] = distance(row, samples);
    if (far > row.most || (far == row.most && share > row.share)) row.widest = name;
    row.most = std::max(row.most, far);
    row.share = std::max(row.share, share);
  }

  void place_device(EnvelopeRow& row, std::size_t samples) const {
    const auto device = c_.recorded.device.first(samples);
    if (std::ranges::none_of(device, [&](const Sample& s) { return s.contains(row.tensor); }))
      return;
    row.device = distance(row, device).first;
    const double least = row.has_lsb ? 1.001 : 0;
    row.inside = *row.device <= std::max(least, outside_by * std::max(row.most, row.simulated));
  }

  // One sample, the operation alone: its coded inputs moved by a step here and there.
  double gain_at(const EnvelopeRow& row) const {
    const ValueId y = g_.find_value(row.tensor);
    const NodeId n = g_.value(y).producer;
    if (!row.has_lsb || n == no_id) return 0;
    const Node& node = g_.node(n);
    std::vector<Tensor> moved(node.inputs.size());
    std::vector<const Tensor*> in;
    bool some = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId v = node.inputs[i];
      in.push_back(nullptr);
      if (v == no_id) continue;
      if (g_.value(v).constant) {
        in.back() = g_.value(v).constant.get();
        continue;
      }
      const auto it = right_.samples[0].find(g_.value(v).name);
      if (it == right_.samples[0].end()) return 0;
      moved[i] = it->second;
      if (is_integer(moved[i].dtype()) && g_.value(v).quant.quantized()) {
        move_some_codes(moved[i], static_cast<std::uint64_t>(n) + 1);
        some = true;
      }
      in.back() = &moved[i];
    }
    if (!some) return 0;
    const auto made = e_.run_node(n, in);
    if (!made.ok()) return 0;
    const QuantParams step = step_of(g_, y);
    for (std::size_t i = 0; i < made->size(); ++i)
      if (node.outputs[i] == y)
        if (const auto m = measure(right_.samples[0].at(row.tensor), (*made)[i], step); m.ok())
          return m->max_lsb;
    return 0;
  }

  const Case& c_;
  const Executor& e_;
  const Graph& g_;
  Capture right_;
};

}  // namespace

Result<Envelope> envelope_of(const Case& c) {
  return Measurer(c).run();
}

}  // namespace lockstep
