#include <algorithm>
#include <numeric>

#include "diagnose/session.h"
#include "diff/inputs.h"
#include "diff/pair.h"
#include "import/import.h"
#include "run/generated.h"
#include "zoo.h"

namespace lockstep::zoo {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Places are drawn without repetition.
template <class T>
std::vector<T> drawn(const std::vector<T>& from, std::size_t count, Random& random) {
  std::vector<std::size_t> left(from.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::vector<T> out;
  while (!left.empty() && out.size() < count) {
    const auto i =
        static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(left.size()) - 1));
    out.push_back(from[left[i]]);
    std::swap(left[i], left.back());
    left.pop_back();
  }
  return out;
}

std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return seed;
}

std::vector<NodeId> coded_nodes(const Executor& reference) {
  const Graph& g = reference.graph();
  std::vector<NodeId> nodes;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const ValueId id = g.nodes()[n].outputs.empty() ? no_id : g.nodes()[n].outputs[0];
    if (id != no_id && g.value(id).quant.quantized() && size_of(g.value(id).dtype) == 1 &&
        !g.value(id).constant)
      nodes.push_back(static_cast<NodeId>(n));
  }
  return nodes;
}

}  // namespace

std::string Case::place() const {
  const Graph& g = animal->reference.graph();
  return node == no_id ? g.value(input).name : g.node(node).name;
}

std::string Case::text() const {
  std::string t =
      animal->name + ": " + (fault ? std::string(fault->name) : unknown) + "@" + place();
  for (const auto& [name, value] : params) t += "," + name + "=" + number_text(value);
  return t + " (" + level_names[static_cast<int>(level)] + ")";
}

Result<Animal> animal(const std::string& path, std::string_view arithmetic, int samples,
                      std::uint64_t seed, const std::vector<std::string>& inputs) {
  LOCKSTEP_TRY(Graph model, import_model(path));
  const Arithmetic* own = find_arithmetic(arithmetic);
  if (!own)
    return Error{"--arith " + std::string(arithmetic), "no such arithmetic",
                 "one of docs/arithmetics.md", ""};
  LOCKSTEP_TRY(Executor reference, Executor::make(model, *own));
  std::vector<Sample> sent;
  std::vector<std::string> notes;
  for (const std::string& file : inputs) {
    LOCKSTEP_TRY(std::vector<Sample> recorded, read_inputs(file, model, notes));
    std::ranges::move(recorded, std::back_inserter(sent));
  }
  constexpr int least_with_outputs = 8;
  const int all = std::max(samples, least_with_outputs);
  if (sent.size() > static_cast<std::size_t>(all)) sent.resize(static_cast<std::size_t>(all));
  if (const int left = all - static_cast<int>(sent.size()); left > 0)
    std::ranges::move(generated_inputs(model, left, seed), std::back_inserter(sent));
  LOCKSTEP_TRY(Capture expected, reference.run(sent));
  Animal a{base_name(path),
           model,
           reference,
           other_arithmetics(model, *own),
           std::move(sent),
           std::move(expected.samples),
           static_cast<std::size_t>(samples),
           {}};
  std::vector<Executor> able;  // some have no meaning for an operator
  for (const Executor& other : a.others) {
    auto capture = other.run(a.sent);
    if (!capture.ok()) continue;
    able.push_back(other);
    auto pairing = pair_tensors(a.reference.graph(), *capture);
    a.otherwise.push_back(pairing.ok() ? std::move(pairing->samples) : std::vector<Sample>{});
  }
  a.others = std::move(able);
  return a;
}

std::vector<Case> cases_of(const Animal& animal, const Plan& plan) {
  std::vector<Case> cases;
  for (const FaultDef* fault : fault_table()) {
    if (!plan.faults.empty() && std::ranges::find(plan.faults, fault->name) == plan.faults.end())
      continue;
    for (const Level level : plan.levels) {
      const std::uint64_t seed = hash(
          animal.name + std::string(fault->name) + level_names[static_cast<int>(level)], plan.seed);
      Random random(seed);
      if (plan.share < 1 && Random(seed + 1).unit() >= plan.share) continue;
      for (const Site& site :
           drawn(sites_of(animal.reference, *fault),
                 static_cast<std::size_t>(level == Level::all ? plan.sites : (plan.sites + 2) / 3),
                 random))
        cases.push_back({&animal, fault, "", site.node, site.input, strength(*fault, site, random),
                         level, random.next()});
    }
  }
  // With fewer tensors, a third of the places, for whether such a device is acquitted or misnamed
  // there.
  for (const char* unknown : unknown_names)
    for (const Level level : plan.levels) {
      Random random(hash(
          animal.name + unknown + (level == Level::all ? "" : level_names[static_cast<int>(level)]),
          plan.seed));
      const auto places =
          static_cast<std::size_t>(level == Level::all ? plan.unknown : (plan.unknown + 2) / 3);
      for (const NodeId node : drawn(coded_nodes(animal.reference), places, random))
        cases.push_back({&animal, nullptr, unknown, node, no_id, {}, level, random.next()});
    }
  return cases;
}

std::vector<Pair> healthy_pairs(const Animal& animal) {
  std::vector<Pair> pairs;
  const std::span sent(animal.sent.data(), std::min<std::size_t>(2, animal.sent.size()));
  for (const Arithmetic* a : arith_table()) {
    auto reference = Executor::make(animal.model, *a);
    if (!reference.ok()) continue;
    std::vector<Executor> others = other_arithmetics(animal.model, *a);
    auto expected = reference->run(sent);
    for (std::size_t d = 0; d < others.size(); ++d) {
      Pair pair{
          animal.name, std::string(a->name), std::string(others[d].arithmetic().name), "", false,
          false};
      auto capture = others[d].run(sent);
      if (!expected.ok() || !capture.ok()) continue;
      auto pairing = pair_tensors(reference->graph(), *capture);
      if (!pairing.ok()) continue;
      std::vector<Executor> unlike;
      for (std::size_t i = 0; i < others.size(); ++i)
        if (i != d) unlike.push_back(others[i]);
      for (const bool named : {true, false}) {
        if (!named && a != &animal.reference.arithmetic()) continue;
        const lockstep::Case c{
            .reference = *reference,
            .recorded = {sent, expected->samples, pairing->samples, StateMode::reset},
            .tolerance = {},
            .others = [&]() -> std::span<const Executor> { return named ? others : unlike; },
            .search = {.work = 1, .threads = 1, .first_only = true},
            .model = animal.name,
            .target = pair.device,
            .input = ""};
        const auto v = judge(c, pairing->left_device);
        const bool alarm = !v.ok() || (!v->healthy && !v->undecided);
        (named ? pair.alarm : pair.alarm_unnamed) = alarm;
        if (alarm || named) pair.said = v.ok() ? v->summary : v.error().line();
        if (const int first = v.ok() && alarm ? v->comparison.first_wrong() : -1; first >= 0) {
          const Row& row = v->comparison.rows[static_cast<std::size_t>(first)];
          pair.said += " at " + row.name + ": " + std::to_string(row.local.differing) + " of " +
                       std::to_string(row.local.count) + " values, by " +
                       number_text(row.local.has_lsb ? row.local.max_lsb : row.local.max_abs) +
                       (row.structure.text.empty() ? "" : "; " + row.structure.text);
        }
      }
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

}  // namespace lockstep::zoo
