#include <cmath>

#include <nlohmann/json.hpp>

#include "report/fold.h"
#include "report/report.h"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

Json number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

Json metrics_json(const Metrics& m) {
  Json j = {{"count", m.count},
            {"differing", m.differing},
            {"not_finite", m.not_finite},
            {"cosine", number(m.cosine)},
            {"rmse", number(m.rmse)},
            {"mae", number(m.mae)},
            {"max_abs", number(m.max_abs)},
            {"sqnr_db", number(m.sqnr_db)}};
  if (m.has_lsb) {
    j["max_lsb"] = number(m.max_lsb);
    j["mean_lsb"] = number(m.mean_lsb);
    j["beyond_one_lsb"] = m.beyond_one_lsb;
  }
  return j;
}

Json st_json(const StMetrics& m) {
  return {{"acc", m.acc ? Json(*m.acc) : Json(nullptr)},
          {"rmse", number(m.rmse)},
          {"mae", number(m.mae)},
          {"l2r", number(m.l2r)},
          {"mean", number(m.mean)},
          {"std", number(m.std)},
          {"snr", number(m.snr)},
          {"nse", number(m.nse)},
          {"cos", number(m.cos)}};
}

std::string_view state_name(Judgement s) {
  switch (s) {
    case Judgement::exact:
      return "exact";
    case Judgement::rounding:
      return "rounding";
    case Judgement::wrong:
      return "wrong";
    case Judgement::unknown:
      return "unknown";
  }
  return "unknown";
}

Json row_json(const Row& row, const Graph* graph) {
  Json j = {{"tensor", row.tensor},
            {"node", row.name},
            {"op", row.op},
            {"state", state_name(row.state)},
            {"input_is_wrong", row.inherited},
            {"end_to_end", metrics_json(row.whole)},
            {"from_own_inputs", metrics_json(row.local)}};
  if (row.whole.count) j["st"] = st_json(row.st);
  if (!row.structure.kind.empty())
    j["structure"] = {{"kind", row.structure.kind}, {"text", row.structure.text}};
  if (row.in_spread) j["in_spread"] = true;
  if (!row.like.empty()) j["equals"] = row.like;
  if (!row.note.empty()) j["note"] = row.note;
  if (row.segment.size() > 1 && graph) {
    Json nodes = Json::array();
    for (const NodeId n : row.segment) nodes.push_back(graph->node(n).name);
    j["over"] = nodes;
  }
  return j;
}

Json explanation_json(const Explanation& e) {
  Json also = Json::array();
  for (const FaultSpec& f : e.also)
    also.push_back({{"fault", f.fault->name}, {"site", f.node}, {"params", f.params}});
  return {{"fault", e.fault->name},     {"site", e.site},       {"also", also},
          {"arithmetic", e.arithmetic}, {"params", e.params},   {"spec", e.spec},
          {"claim", e.claim},           {"values", e.values},   {"differing", e.differing},
          {"reproduced", e.reproduced}, {"spoiled", e.spoiled}, {"rest_lsb", number(e.rest_lsb)},
          {"accepted", e.accepted},     {"certain", e.certain}, {"ties", e.ties},
          {"rivals", e.rivals}};
}

Json suspect_json(const Suspect& s, const Comparison& c) {
  Json ranked = Json::array();
  for (const Explanation& e : s.ranked) ranked.push_back(explanation_json(e));
  return {{"tensor", c.rows[s.row].tensor}, {"node", c.rows[s.row].name},
          {"op", c.rows[s.row].op},         {"replays", s.tried},
          {"cut_short", s.cut_short},       {"explained", s.cause() != nullptr},
          {"explanations", ranked}};
}

Json scope_json(const ScopeReading& r) {
  return {{"scope", r.name},
          {"nodes", r.sites},
          {"shown", r.shown},
          {"right", r.right},
          {"silent", r.silent},
          {"not_judged", r.not_judged},
          {"shown_outside", r.shown_outside},
          {"settled", r.settled},
          {"would_settle", r.would_settle}};
}

Json envelope_json(const Envelope& e) {
  Json rows = Json::array();
  for (const EnvelopeRow& r : e.rows)
    rows.push_back({{"tensor", r.tensor},
                    {"node", r.node},
                    {"most", number(r.most)},
                    {"in_lsb", r.has_lsb},
                    {"differing_share", number(r.share)},
                    {"widest", r.widest},
                    {"simulated", number(r.simulated)},
                    {"gain", number(r.gain)},
                    {"device", r.device ? number(*r.device) : Json(nullptr)},
                    {"inside", r.inside}});
  return {{"arithmetics", e.arithmetics},
          {"samples", e.samples},
          {"leaves", e.leaves ? Json(e.rows[*e.leaves].node) : Json(nullptr)},
          {"rows", rows}};
}

Json pc_json(const PcRun& p) {
  return {{"file", p.file},       {"right", p.right},
          {"is", p.is},           {"spec", p.spec},
          {"verdict", p.verdict}, {"reference_is_wrong", p.faulty},
          {"tensor", p.tensor},   {"metrics", metrics_json(p.metrics)},
          {"advice", p.advice}};
}

}  // namespace

std::string json_report(const Report& report) {
  const Verdict& v = report.verdict;
  const Comparison& c = v.comparison;
  Json j = {{"schema", "lockstep.report"},
            {"version", 1},
            {"model", report.model},
            {"format", report.format},
            {"input", report.input},
            {"reference", report.reference},
            {"runtime", report.runtime},
            {"target", report.target},
            {"device", report.device},
            {"tolerance", report.tolerance.empty() ? "standard" : report.tolerance},
            {"healthy", v.healthy},
            {"undecided", v.undecided},
            {"verdict", v.summary},
            {"computes_as", v.computes_as},
            {"samples", c.samples},
            {"tensors", c.tensors},
            {"compared", c.rows.size()},
            {"unpaired_reference", c.left_reference},
            {"unpaired_device", c.left_device}};
  const int first = c.first_wrong();
  j["first_wrong"] =
      v.healthy || first < 0 ? Json(nullptr) : Json(c.rows[static_cast<std::size_t>(first)].name);
  if (const WrongPlace place = report.graph ? first_wrong_place(v, *report.graph) : WrongPlace{};
      !v.healthy && place.node != no_id) {
    j["first_wrong"] = report.graph->node(place.node).name;
    j["first_wrong_among"] = place.among;
    j["first_wrong_by_cause"] = place.by_cause;
  }
  j["rows"] = Json::array();
  for (const Row& row : c.rows) j["rows"].push_back(row_json(row, report.graph));
  j["suspects"] = Json::array();
  for (const Suspect& s : v.suspects) j["suspects"].push_back(suspect_json(s, c));
  j["not_examined"] = v.not_examined;
  if (v.reach.of_kind)
    j["reach"] = {{"op", v.reach.op}, {"of_kind", v.reach.of_kind}, {"showing", v.reach.showing}};
  j["scopes"] = Json::array();
  for (const ScopeReading& r : v.scopes) j["scopes"].push_back(scope_json(r));
  j["if_repaired"] = Json::array();
  for (const Repair& r : v.repairs)
    j["if_repaired"].push_back(
        {{"output", r.output},
         {"cosine", number(r.cosine)},
         {"cosine_now", r.cosine_before >= -1 ? number(r.cosine_before) : Json(nullptr)}});
  j["rewrites"] = Json::array();
  for (const Rewrite& r : v.rewrites)
    j["rewrites"].push_back(
        {{"text", r.text}, {"predicted_cosine", number(r.cosine)}, {"holds", r.holds}});
  if (v.envelope) j["envelope"] = envelope_json(*v.envelope);
  if (v.pc) j["pc"] = pc_json(*v.pc);
  j["advice"] = v.advice;
  j["capture_next"] = v.next;
  Json notes = report.notes;
  for (const std::string& note : v.notes) notes.push_back(note);
  j["notes"] = notes;
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
