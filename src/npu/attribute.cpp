#include "npu/attribute.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include <fmt/core.h>

#include "npu/handed_on.h"
#include "npu/mixed_rows.h"
#include "npu/silent.h"

namespace lockstep {
namespace {

using Made = std::map<std::pair<int, std::string>, Tensor>;

// What every epoch makes from the reference's tensors, by epoch and buffer; `expected` what it
// should.
Result<Made> run_forced(NpuSimulator& sim, const Graph& model, const NpuMapping& mapping,
                        const Sample& sample, const NpuRules& rules, Made& expected) {
  const NpuRules before = sim.rules();
  sim.set_rules(rules);
  Made made;
  LOCKSTEP_TRY(const Sample inputs, simulator_inputs(sim, model, mapping, sample));
  const auto observe = [&](const NpuEpoch& epoch, NpuMemory& memory) -> Result<void> {
    for (const NpuBuffer* b : sim.program().made_by(epoch.number)) {
      const NpuPair* pair = mapping.find(b->name);
      const auto it = pair ? sample.find(pair->value) : sample.end();
      if (it == sample.end()) continue;
      const std::string where = fmt::format("{}: epoch {}", sim.program().file, epoch.number);
      LOCKSTEP_TRY(Tensor codes,
                   codes_for(*b, *pair, model.value(model.find_value(pair->value)), it->second));
      LOCKSTEP_TRY(Tensor got, read_buffer(*b, memory, where));
      LOCKSTEP_CHECK(write_buffer(*b, codes, memory, where));
      made.insert_or_assign({epoch.number, b->name}, std::move(got));
      expected.insert_or_assign({epoch.number, b->name}, std::move(codes));
    }
    return {};
  };
  const Result<void> done = sim.run(inputs, observe);
  sim.set_rules(before);
  if (!done.ok()) return done.error();
  return made;
}

struct Squares {
  double predicted = 0, measured = 0;
  std::int64_t count = 0;
};

class Attributor {
 public:
  Attributor(const NpuProgram& program, const Graph& model, const NpuMapping& mapping,
             std::vector<NpuDrift> drifts, std::set<int> tables)
      : model_(model),
        mapping_(mapping),
        handed_on_(program, model, mapping),
        drifts_(std::move(drifts)),
        tables_(std::move(tables)) {}

  void add(const NpuBuffer& b, int epoch, const Tensor& expected, const Tensor& exact,
           const Tensor& got, const Tensor& other, const Made& made) {
    const NpuPair& pair = *mapping_.find(b.name);
    NpuAttribution& row = row_for(epoch, b.name, pair.value);
    const NpuDrift* own = find(pair.value, epoch);
    const NpuDrift* inside = own ? own : find_before(pair.value, epoch);
    if (inside) row.node = inside->node;
    const Shape& plain = expected.shape();
    const std::int64_t channels = plain.size() == 4 ? plain[1]
                                  : plain.empty()   ? 1
                                                    : plain.back(),
                       area = plain.size() == 4 ? plain[2] * plain[3] : 1;
    const std::int64_t zero = model_.value(model_.find_value(pair.value)).quant.zero_at(0),
                       shift = zero - (b.zero.empty() ? 0 : b.zero[0]);
    std::optional<std::vector<Tensor>> remade;
    for (std::int64_t i = 0; i < expected.count(); ++i) {
      const std::int64_t r = expected.code(i) + shift, e = exact.code(i) + shift,
                         s = got.code(i) + shift;
      ++row.count;
      row.ties += got.code(i) != other.code(i);
      const auto k = static_cast<std::size_t>(i / area % channels);
      if (own && k < own->channels() && r > -128 && r < 127) {  // saturated codes say nothing
        Squares& q = squares_[&row - rows_.data()];
        if (!is_silent(*own, i))
          q.predicted += square(*own, k, r) + own->gain_squared[k] * arriving(*own);
        q.measured += static_cast<double>((s - r) * (s - r)), ++q.count;
      }
      if (s == r) continue;
      NpuCause cause = why(row, own, inside, k, r, e, s, pair.value);
      if (cause == NpuCause::unexplained) {
        if (!remade) remade = handed_on_.remade(b, made, *sample_);
        cause = arrives(own, k, i, r, s, made, *remade, tables_.contains(epoch) ? table_codes : 1,
                        shift);
      }
      count(row, cause, std::abs(s - r) > 1);
    }
  }

  // The sample whose tensors `add` is given next.
  void start(const Sample& sample) {
    sample_ = &sample;
    silent_.clear(), changes_.clear();
  }

  std::vector<NpuAttribution> rows() {
    for (auto& [at, q] : squares_)
      if (q.count > 0) {
        rows_[static_cast<std::size_t>(at)].predicted_rms =
            std::sqrt(q.predicted / static_cast<double>(q.count));
        rows_[static_cast<std::size_t>(at)].measured_rms =
            std::sqrt(q.measured / static_cast<double>(q.count));
      }
    return std::move(rows_);
  }

 private:
  NpuAttribution& row_for(int epoch, const std::string& buffer, const std::string& value) {
    for (NpuAttribution& r : rows_)
      if (r.epoch == epoch && r.buffer == buffer) return r;
    NpuAttribution row;
    row.epoch = epoch, row.buffer = buffer, row.value = value;
    rows_.push_back(std::move(row));
    return rows_.back();
  }

  // The layer whose codes the tensor is.
  const NpuDrift* find(std::string_view tensor, int epoch) const {
    for (const NpuDrift& d : drifts_)
      if (d.codes_epoch == epoch && d.tensor == tensor) return &d;
    return nullptr;
  }
  // A layer requantized in the epoch from which the tensor is made a few operations later.
  const NpuDrift* find_before(const std::string& tensor, int epoch) const {
    std::vector<ValueId> open = {model_.find_value(tensor)};
    for (std::size_t i = 0; i < open.size() && open.size() < 64; ++i) {
      const Value& v = model_.value(open[i]);
      if (const NpuDrift* d = find(v.name, epoch))
        if (v.name != tensor) return d;
      if (v.producer == no_id) continue;
      for (const ValueId in : model_.node(v.producer).inputs)
        if (in != no_id && !model_.value(in).constant) open.push_back(in);
    }
    return nullptr;
  }

  static double worst_path(const NpuDrift& d) {
    double most = 0;
    for (std::size_t k = 0; k < d.channels(); ++k) most = std::max(most, d.data_path(k));
    return most;
  }

  // The layer whose codes enter this one without crossing memory.
  const NpuDrift* upstream(const NpuDrift& d) const {
    const NpuDrift* u = find_before(d.tensor, d.epoch);
    return u && u->codes_epoch == d.epoch ? u : nullptr;
  }
  // The mean square of the difference of its codes, by its data path.
  double arriving(const NpuDrift& d) {
    const auto [it, fresh] = arriving_.try_emplace(&d, 0);
    const NpuDrift* u = fresh ? upstream(d) : nullptr;
    if (!u || u->channels() == 0) return it->second;
    for (std::size_t k = 0; k < u->channels(); ++k) it->second += u->square(k, u->offset[k]);
    return it->second /= static_cast<double>(u->channels());
  }

  bool is_silent(const NpuDrift& d, std::int64_t i) {
    const auto [it, fresh] = silent_.try_emplace(&d);
    if (fresh) it->second = silent_sums(model_, d.node, *sample_);
    return static_cast<std::size_t>(i) < it->second.size() &&
           it->second[static_cast<std::size_t>(i)];
  }

  double square(const NpuDrift& d, std::size_t k, std::int64_t code) {
    const auto [it, fresh] = known_.try_emplace({&d, k, code}, 0);
    if (fresh) it->second = d.square(k, static_cast<double>(code));
    return it->second;
  }

  // The layer's input comes from a table of its own epochs: what the sums take are the program's
  // codes.
  bool takes_from_table(const NpuDrift& d) const {
    return std::ranges::any_of(
        d.epochs, [&](int e) { return tables_.contains(e) && handed_on_.makes(e, d.input); });
  }

  // Whether the code follows from codes that the program made itself.
  NpuCause arrives(const NpuDrift* own, std::size_t k, std::int64_t i, std::int64_t r,
                   std::int64_t s, const Made& made, const std::vector<Tensor>& remade,
                   std::int64_t most, std::int64_t shift) {
    if (std::ranges::any_of(
            remade, [&](const Tensor& t) { return std::abs(t.code(i) + shift - s) <= most; }))
      return NpuCause::arriving;
    if (!own || k >= own->channels() || !takes_from_table(*own)) return NpuCause::unexplained;
    const auto& rows = changes(*own, made);
    const double off = std::abs(static_cast<double>(s - r)), slack = 1 + own->data_path(k);
    std::vector<std::int64_t> at;
    for (const auto& row : rows) at.push_back(row.at(static_cast<std::size_t>(i)));
    const bool follows = rows.empty()
                             ? remade.empty() && off <= slack + own->gain[k] * table_codes
                             : is_of_mixed_rows(s, r, at, own->in_parts, own->multiplier[k], slack);
    if (!follows) return NpuCause::unexplained;
    return off > 1 ? NpuCause::arriving : NpuCause::rounding;
  }

  // Parts of a kernel that are computed where the table is take its codes, those of other epochs
  // the reference's from memory: what that makes of each row's sums; empty where they are not
  // known.
  const std::vector<std::vector<std::int64_t>>& changes(const NpuDrift& d, const Made& made) {
    const auto [it, fresh] = changes_.try_emplace(&d);
    const auto reference = sample_->find(d.input);
    if (fresh && reference != sample_->end())
      if (const auto codes = handed_on_.made_in(d.epochs, d.input, made))
        it->second = changes_by_row(model_, d.node, d.input, reference->second, *codes);
    return it->second;
  }

  static void count(NpuAttribution& row, NpuCause cause, bool far) {
    ++row.differing;
    row.above_one += far;
    row.rounding += cause == NpuCause::rounding, row.sums += cause == NpuCause::sums,
        row.multiplier += cause == NpuCause::multiplier;
    row.tables += cause == NpuCause::tables, row.saturated += cause == NpuCause::saturation,
        row.arriving += cause == NpuCause::arriving;
    row.unexplained += cause == NpuCause::unexplained;
    row.above_one_unexplained += far && cause == NpuCause::unexplained;
  }

  NpuCause why(const NpuAttribution& row, const NpuDrift* own, const NpuDrift* inside,
               std::size_t k, std::int64_t r, std::int64_t e, std::int64_t s,
               const std::string& value) const {
    const bool far = std::abs(s - r) > 1;
    NpuCause cause = far ? NpuCause::unexplained : NpuCause::rounding;
    if (own && k < own->channels()) {
      cause = cause_of(*own, k, r, e, s);
      const NpuDrift* u = cause == NpuCause::unexplained ? upstream(*own) : nullptr;
      if (u && std::abs(static_cast<double>(s - r)) <=
                   1 + own->data_path(k) + own->gain[k] * (1 + worst_path(*u)))
        cause = far ? NpuCause::sums : NpuCause::rounding;
    } else if (inside && k < inside->channels()) {
      // A layer requantized inside the epoch and added: its drift enters under the quotient of the
      // scales.
      const double ratio = model_.value(model_.find_value(inside->tensor)).quant.scale_at(0) /
                           model_.value(model_.find_value(value)).quant.scale_at(0);
      const double off = std::abs(static_cast<double>(s - r)), path = 1 + inside->data_path(k);
      if (far && off <= 1 + ratio * path) cause = NpuCause::sums;
      // x * sigmoid(x) is at most 1.1 times as steep as x; its gate is a table.
      else if (far && tables_.contains(row.epoch) && off <= 1 + ratio * (1.1 * path + table_codes))
        cause = NpuCause::tables;
    } else if (far && tables_.contains(row.epoch)) {
      // What it is a function of, one code off, where no buffer holds that.
      const double off = std::abs(static_cast<double>(s - r)) - table_codes;
      if (off <= 0 || off <= handed_on_.step_of_unheld(value)) cause = NpuCause::tables;
    }
    return cause;
  }

  const Graph& model_;
  const NpuMapping& mapping_;
  NpuHandedOn handed_on_;
  // What a table of the activation unit may be off: 1 as it is declared, 1 by its rounding.
  static constexpr std::int64_t table_codes = 2;
  std::vector<NpuDrift> drifts_;
  std::set<int> tables_;  // epochs in which an activation unit computes by tables
  std::vector<NpuAttribution> rows_;
  std::map<std::ptrdiff_t, Squares> squares_;
  const Sample* sample_ = nullptr;
  std::map<const NpuDrift*, std::vector<bool>> silent_;  // of this sample
  // What this sample's own codes change in the sums of layers that take them.
  std::map<const NpuDrift*, std::vector<std::vector<std::int64_t>>> changes_;
  std::map<const NpuDrift*, double> arriving_;
  std::map<std::tuple<const NpuDrift*, std::size_t, std::int64_t>, double> known_;
};

}  // namespace

Result<std::vector<NpuAttribution>> attribute_epochs(NpuSimulator& simulator, const Graph& model,
                                                     const NpuMapping& mapping,
                                                     std::span<const Sample> reference,
                                                     NpuTie other_ties,
                                                     const RequantPolicy* rounding) {
  LOCKSTEP_TRY(std::vector<NpuDrift> drifts, predict_drift(simulator, model, rounding));
  std::set<int> tables;
  for (const NpuEpochForm& form : simulator.epochs())
    for (const auto& [id, unit] : form.units)
      if (const auto* v = std::get_if<NpuActiv>(&unit); v && v->operation == "ACTIV_FUNC")
        tables.insert(form.epoch->number);
  Attributor attributor(simulator.program(), model, mapping, std::move(drifts), std::move(tables));
  const NpuRules rules = simulator.rules();
  NpuRules unrounded = rules, others = rules;
  unrounded.exact = true;
  others.conv = others.arith = others.pool = others.activ = other_ties;
  for (const Sample& sample : reference) {
    attributor.start(sample);
    Made expected;
    LOCKSTEP_TRY(const Made got, run_forced(simulator, model, mapping, sample, rules, expected));
    LOCKSTEP_TRY(const Made exact,
                 run_forced(simulator, model, mapping, sample, unrounded, expected));
    LOCKSTEP_TRY(const Made other, run_forced(simulator, model, mapping, sample, others, expected));
    for (const auto& [at, tensor] : got)
      attributor.add(*simulator.program().find_buffer(at.second), at.first, expected.at(at),
                     exact.at(at), tensor, other.at(at), got);
  }
  return attributor.rows();
}

}  // namespace lockstep
