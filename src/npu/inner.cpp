#include "npu/inner.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/core.h>

#include "npu/audit.h"
#include "npu/software_moves.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

// Numbers of a map in the order [channel][row][column]; maps of one line are one column.
struct Map {
  std::int64_t channels = 0, rows = 0, columns = 0;
  std::vector<std::int64_t> numbers;
};
Map map_of(std::int64_t channels, std::int64_t rows, std::int64_t columns) {
  if (rows == 1) std::swap(rows, columns);
  return {channels, rows, columns, {}};
}

struct Weights {
  const Value& value;
  std::string order;  // OIHW, OHWI, 1HWO
  std::int64_t taps, channels, kernels;

  std::int64_t at(std::int64_t k, std::int64_t c, std::int64_t tap) const {
    const std::int64_t i = order == "OIHW"   ? (k * channels + c) * taps + tap
                           : order == "OHWI" ? (k * taps + tap) * channels + c
                                             : tap * kernels + k;
    return value.constant->code(i) - value.quant.zero_at(static_cast<std::size_t>(k));
  }
};

std::optional<Weights> weights_of(const Graph& g, const Node& n) {
  const Value* w = &g.value(n.inputs[1]);
  if (!w->constant && w->producer != no_id && g.node(w->producer).op == "DequantizeLinear")
    w = &g.value(g.node(w->producer).inputs[0]);
  if (!w->constant || !is_integer(w->dtype) || w->shape.size() < 3) return std::nullopt;
  Weights r{*w, n.attrs.text("weights", "OIHW"), 1, 1, 1};
  const Shape& s = w->shape;
  const bool first = r.order == "OIHW", single = r.order == "1HWO";
  for (std::size_t a = 0; a < s.size(); ++a) {
    if (a == (single ? s.size() - 1 : 0))
      r.kernels = s[a];
    else if (!single && a == (first ? 1 : s.size() - 1))
      r.channels = s[a];
    else
      r.taps *= s[a];
  }
  return r;
}

// [tap][channel of a group][kernel]: the kernels that one code meets lie side by side.
std::vector<std::int32_t> by_kernel(const Weights& w, std::int64_t in_group) {
  std::vector<std::int32_t> rows;
  rows.reserve(static_cast<std::size_t>(w.taps * in_group * w.kernels));
  for (std::int64_t tap = 0; tap < w.taps; ++tap)
    for (std::int64_t c = 0; c < in_group; ++c)
      for (std::int64_t k = 0; k < w.kernels; ++k)
        rows.push_back(static_cast<std::int32_t>(w.at(k, c, tap)));
  return rows;
}

std::vector<std::int32_t> without_zero(const Tensor& codes, std::int64_t zero) {
  std::vector<std::int32_t> out;
  out.reserve(static_cast<std::size_t>(codes.count()));
  for (std::int64_t i = 0; i < codes.count(); ++i)
    out.push_back(static_cast<std::int32_t>(codes.code(i) - zero));
  return out;
}

// Every product of a convolution, kernels side by side; `m.numbers` begin at 0.
void sum_up(const Window& window, const Weights& w, std::int64_t groups,
            const std::vector<std::int32_t>& codes, Map& m) {
  const std::int64_t in_group = window.channels / groups, per_group = w.kernels / groups,
                     area = window.out_count(), positions = window.in_count();
  const std::vector<std::int32_t> weights = by_kernel(w, in_group);
  std::vector<std::int64_t> sums(static_cast<std::size_t>(w.kernels));
  each_position(window, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t at) {
    std::ranges::fill(sums, 0);
    each_tap(window, d, h, v, [&](std::int64_t position, std::int64_t tap) {
      for (std::int64_t channel = 0; channel < window.channels; ++channel) {
        const std::int64_t code = codes[static_cast<std::size_t>(
            window.index(0, channel, position, positions, window.channels))];
        if (code == 0) continue;
        const std::int64_t first = channel / in_group * per_group;
        const auto row =
            static_cast<std::size_t>((tap * in_group + channel % in_group) * w.kernels);
        for (auto k = static_cast<std::size_t>(first);
             k < static_cast<std::size_t>(first + per_group); ++k)
          sums[k] += code * weights[row + k];
      }
    });
    for (std::int64_t k = 0; k < w.kernels; ++k)
      m.numbers[static_cast<std::size_t>(k * area + at)] = sums[static_cast<std::size_t>(k)];
  });
}

// The exact sums of a convolution of the model on the reference's codes.
std::optional<Map> sums_of(const Graph& g, const ModelLayer& layer, const Sample& reference) {
  const auto n = std::ranges::find(g.nodes(), layer.node, &Node::name);
  const auto x = reference.find(layer.input);
  const ValueId id = g.find_value(layer.input);
  if (n == g.nodes().end() || n->op != "Conv" || x == reference.end() || id == no_id) return {};
  const auto w = weights_of(g, *n);
  const Shape& shape = g.value(n->inputs[0]).shape;
  if (!w || count_of(shape) != x->second.count()) return {};
  std::vector<std::int64_t> kernel;
  const std::size_t first = w->order == "OIHW" ? 2 : 1;
  for (std::size_t a = first; a < first + shape.size() - 2; ++a)
    kernel.push_back(w->value.shape[a]);
  const auto window = window_of({g, *n}, shape, kernel);
  if (!window.ok() || window->batch != 1 || window->out[0] != 1) return {};
  const std::int64_t zero = g.value(id).quant.zero_at(0), area = window->out_count(),
                     groups =
                         w->order == "1HWO" ? window->channels : window->channels / w->channels,
                     in_group = window->channels / groups;
  Map m = map_of(w->kernels, window->out[1], window->out[2]);
  if (w->kernels * area * in_group * w->taps > (std::int64_t{1} << 28)) return {};
  m.numbers.assign(static_cast<std::size_t>(w->kernels * area), 0);
  sum_up(*window, *w, groups, without_zero(x->second, zero), m);
  return m;
}

// The same numbers in blocks: out[(dh*bw + dw)*C + c][h/bh][w/bw] = in[c][h][w]; nothing where the
// buffer has other extents.
std::optional<std::vector<std::int64_t>> laid(const Map& m, const NpuBuffer& b) {
  const Shape plain = plain_shape(b);
  if (plain.size() != 4 || plain[0] != 1) return {};
  const Map to = map_of(plain[1], plain[2], plain[3]);
  if (to.rows < 1 || to.columns < 1 || m.rows % to.rows != 0 || m.columns % to.columns != 0)
    return {};
  const std::int64_t bh = m.rows / to.rows, bw = m.columns / to.columns;
  if (to.channels != m.channels * bh * bw) return {};
  std::vector<std::int64_t> out;
  for (std::int64_t k = 0; k < to.channels; ++k)
    for (std::int64_t h = 0; h < to.rows; ++h)
      for (std::int64_t v = 0; v < to.columns; ++v) {
        const std::int64_t block = k / m.channels, row = h * bh + block / bw,
                           column = v * bw + block % bw;
        out.push_back(m.numbers[static_cast<std::size_t>(
            ((k % m.channels) * m.rows + row) * m.columns + column)]);
      }
  return out;
}

bool only_moves(const NpuEpoch& e) {
  if (e.hardware())
    return std::ranges::all_of(e.units,
                               [](const NpuUnit& u) { return u.id.kind == NpuKind::stream; });
  return std::ranges::any_of(e.calls, is_npu_move);
}

// What one sample's inner tensors must hold.
class Inner {
 public:
  Inner(const NpuSimulator& sim, const Graph& model, const NpuMapping& mapping)
      : program_(sim.program()), model_(model), mapping_(mapping) {}

  Result<void> begin(const NpuSimulator& sim) {
    LOCKSTEP_TRY(layers_, npu_layers(sim));
    model_layers_ = model_layers(model_);
    const auto outputs = npu_layer_outputs(sim, layers_, mapping_);
    for (const NpuLayerPair& p : pair_layers(layers_, model_layers_, outputs))
      if (p.model && p.layer->codes_epoch > p.layer->epoch) pairs_.push_back(p);
    return {};
  }
  void sample(const Sample& reference) { reference_ = &reference, sums_.clear(); }

  Result<void> look(const NpuEpoch& e, const NpuMemory& memory, std::vector<NpuInnerRow>& rows) {
    for (const NpuBuffer* b : program_.made_by(e.number)) {
      if (!is_whole(*b) || mapping_.find(b->name)) continue;
      const std::string stem = without_copies(b->name);
      double tolerance = 0, step = 1;
      std::optional<std::vector<std::int64_t>> want;
      std::string of = stem;
      if (const NpuLayerPair* p = summed(*b, stem)) {
        LOCKSTEP_TRY(const std::optional<Map>* m, sums(*p, e, memory));
        if (*m) want = laid(**m, *b);
        step = std::ldexp(1.0, -b->qn);
        tolerance = 1.0 + 0.5 * (p->layer->passes + static_cast<double>(p->layer->convs.size()));
        of = p->model->node;
      } else if (only_moves(e)) {
        LOCKSTEP_TRY(want, moved(*b, stem));
      }
      if (!want) continue;
      LOCKSTEP_TRY(const Tensor got, read_buffer(*b, memory, program_.file));
      count(row(rows, e.number, b->name, of), got, *want, step, tolerance);
    }
    return {};
  }

 private:
  // The layer whose 16-bit sums the buffer holds.
  const NpuLayerPair* summed(const NpuBuffer& b, const std::string& stem) const {
    if (b.type != "DataType_FXP" || b.nbits != 16 || b.scale.size() > 1) return nullptr;
    const auto it = std::ranges::find_if(pairs_, [&](const NpuLayerPair& p) {
      return stem == p.layer->node + "_out_0" && b.epoch >= p.layer->epoch &&
             b.epoch < p.layer->codes_epoch;
    });
    return it == pairs_.end() ? nullptr : &*it;
  }
  // Of what the reference put into memory before the epoch; where the epoch itself makes the
  // layer's input, of what it made. Unknown where the input stands nowhere.
  Result<const std::optional<Map>*> sums(const NpuLayerPair& p, const NpuEpoch& e,
                                         const NpuMemory& memory) {
    const auto it = sums_.find(p.model);
    if (it != sums_.end()) return &it->second;
    Sample own;
    bool before = false;
    for (const NpuPair& pair : mapping_.pairs) {
      const NpuBuffer* b =
          pair.value == p.model->input ? program_.find_buffer(pair.buffer) : nullptr;
      if (!b || !is_whole(*b)) continue;
      before = before || b->epoch < e.number;
      if (b->epoch != e.number || !own.empty()) continue;
      LOCKSTEP_TRY(const Tensor held, read_buffer(*b, memory, program_.file));
      const Value& value = model_.value(model_.find_value(pair.value));
      own.emplace(pair.value, model_codes(*b, pair, value, held));
    }
    const Sample& from = own.empty() ? *reference_ : own;
    auto made = own.empty() && !before ? std::nullopt : sums_of(model_, *p.model, from);
    return &sums_.emplace(p.model, std::move(made)).first->second;
  }
  // The codes of the mapped tensor that the buffer is a copy of.
  Result<std::optional<std::vector<std::int64_t>>> moved(const NpuBuffer& b,
                                                         const std::string& stem) const {
    const std::optional<std::vector<std::int64_t>> unknown;
    const auto pair = std::ranges::find_if(mapping_.pairs, [&](const NpuPair& p) {
      const NpuBuffer* from = program_.find_buffer(p.buffer);
      return from && without_copies(p.buffer) == stem && from->count() == b.count() &&
             from->zero == b.zero && from->type == b.type;
    });
    const auto it =
        pair == mapping_.pairs.end() ? reference_->end() : reference_->find(pair->value);
    if (it == reference_->end()) return unknown;
    const NpuBuffer& from = *program_.find_buffer(pair->buffer);
    LOCKSTEP_TRY(const Tensor codes,
                 codes_for(from, *pair, model_.value(model_.find_value(pair->value)), it->second));
    const Shape plain = plain_shape(from);
    if (plain.size() != 4 || plain[0] != 1) return unknown;
    Map m = map_of(plain[1], plain[2], plain[3]);
    for (std::int64_t i = 0; i < codes.count(); ++i) m.numbers.push_back(codes.code(i));
    return laid(m, b);
  }

  static NpuInnerRow& row(std::vector<NpuInnerRow>& rows, int epoch, const std::string& buffer,
                          const std::string& of) {
    for (NpuInnerRow& r : rows)
      if (r.epoch == epoch && r.buffer == buffer) return r;
    return rows.emplace_back(NpuInnerRow{epoch, buffer, of, 0, 0, 0});
  }
  static void count(NpuInnerRow& r, const Tensor& got, const std::vector<std::int64_t>& want,
                    double step, double tolerance) {
    const CodeRange range = code_range(got.dtype());
    for (std::int64_t i = 0; i < got.count(); ++i) {
      const double real =
          std::clamp(static_cast<double>(want[static_cast<std::size_t>(i)]) / step,
                     static_cast<double>(range.low), static_cast<double>(range.high));
      const double off = std::abs(static_cast<double>(got.code(i)) - real);
      ++r.count, r.wrong += off > tolerance;
      r.worst = std::max(r.worst, off);
    }
  }

  const NpuProgram& program_;
  const Graph& model_;
  const NpuMapping& mapping_;
  const Sample* reference_ = nullptr;
  std::vector<NpuLayer> layers_;
  std::vector<ModelLayer> model_layers_;
  std::vector<NpuLayerPair> pairs_;
  std::map<const ModelLayer*, std::optional<Map>> sums_;
};

}  // namespace

Result<std::vector<NpuInnerRow>> compare_inner(NpuSimulator& simulator, const Graph& model,
                                               const NpuMapping& mapping,
                                               std::span<const Sample> reference) {
  Inner inner(simulator, model, mapping);
  LOCKSTEP_CHECK(inner.begin(simulator));
  std::vector<NpuInnerRow> rows;
  for (const Sample& sample : reference) {
    inner.sample(sample);
    LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, sample));
    const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
      LOCKSTEP_CHECK(inner.look(epoch, memory, rows));
      return force_epoch(simulator.program(), epoch, model, mapping, sample, memory);
    };
    LOCKSTEP_CHECK(simulator.run(inputs, observe));
  }
  std::ranges::stable_sort(rows, {}, &NpuInnerRow::epoch);
  return rows;
}

}  // namespace lockstep
