#include "diagnose/on_codes.h"

#include <algorithm>

#include "diagnose/under_others.h"
#include "run/generated.h"

namespace lockstep {
namespace {

// onnxruntime's own way to clean groups, and then all of them on codes, whatever 8-bit types meet.
constexpr std::string_view fusing_passes[] = {
    "store-folded-constants", "merge-equal-quantize",  "remove-double-qdq", "fuse-matmul-add",
    "propagate-dequantize",   "propagate-quantize",    "quantize-bias",     "drop-redundant-clip",
    "run-on-codes",           "drop-idle-dequantizers"};

// What the cause makes of the row's tensor, from inputs that the device never saw.
Result<Capture> made_by(const Case& c, const Row& row, const Explanation& e) {
  const Executor* executor = &c.reference;
  for (const Others& others : {c.carriers, c.others})
    if (!e.arithmetic.empty() && others)
      for (const Executor& other : others())
        if (other.arithmetic().name == e.arithmetic) executor = &other;
  std::vector<FaultSpec> specs = {{e.fault, e.site, e.params}};
  specs.insert(specs.end(), e.also.begin(), e.also.end());
  LOCKSTEP_TRY(const RunOptions options, inject(*executor, specs));
  const std::string wanted[] = {row.tensor};
  return executor->run(generated_inputs(c.reference.graph(), 3, 20), wanted, options);
}

}  // namespace

void set_beside(const Case& c, const Row& row, Suspect& kept, const Suspect& left) {
  constexpr double as_short_bits = 8;  // as among the causes of one side
  const Explanation* e = left.cause();
  if (!kept.cause() || !e || !kept.cause()->exact() || !e->exact()) return;
  Explanation& first = kept.ranked[0];
  if (e->fault == first.fault && e->params == first.params) return;
  if (!e->listed && !first.listed) {
    const auto a = made_by(c, row, first), b = made_by(c, row, *e);
    if (a.ok() && b.ok() && a->samples == b->samples) {
      first.ties.push_back(e->spec);
      return;
    }
  }
  if (e->bits > 2 * first.bits + as_short_bits) return;
  first.rivals.push_back(e->spec);
  if (e->bits <= first.bits + as_short_bits) first.certain = false;
  kept.ranked.insert(kept.ranked.begin() + 1, *e);
}

std::vector<Executor> on_codes(const Graph& model, const Arithmetic& reference) {
  std::vector<Executor> made;
  // Executors keep a pointer to their arithmetic.
  static const Arithmetic fused = [] {
    Arithmetic own = *find_arithmetic("ort");
    own.name = "ort, every group on codes";
    own.passes = fusing_passes;
    return own;
  }();
  if (model.format() != "onnx" || reference.name == "neural-art") return made;
  if (auto executor = Executor::make(model, fused); executor.ok())
    made.push_back(std::move(*executor));
  return made;
}

Suspect search_on_codes(const Case& c, const Row& row, std::size_t index,
                        const SearchOptions& options) {
  Suspect told;
  if (!c.carriers || row.node == no_id) return told;
  for (const Executor& carrier : c.carriers()) {
    const LocalTest test(carrier, c.recorded);
    const auto there = row_in(test, row);
    if (!there || (there->segment.size() == 1 && there->op == "QuantizeLinear"))
      continue;  // not by a quantizer alone
    const auto trial = Trial::make(test, c.recorded, *there);
    if (!trial.ok()) continue;
    SearchOptions half = options;
    half.work /= 2;
    Suspect suspect = search(*trial, index, {}, half);
    told.tried += suspect.tried;
    told.work += suspect.work;
    told.cut_short = told.cut_short || suspect.cut_short;
    if (!suspect.cause()) continue;
    for (Explanation& e : suspect.ranked) e.arithmetic = carrier.arithmetic().name;
    suspect.tried = told.tried;
    suspect.work = told.work;
    return suspect;
  }
  return told;
}

}  // namespace lockstep
