#include "diagnose/three_way.h"

#include <algorithm>

#include <fmt/format.h>

namespace lockstep {
namespace {

const Row* row_named(const Comparison& c, const std::string& tensor) {
  const auto it = std::ranges::find(c.rows, tensor, &Row::tensor);
  return it == c.rows.end() ? nullptr : &*it;
}

std::string who(char letter, const std::string& target) { return fmt::format("{} ({})", letter, target); }

std::string alone(char letter, const std::string& target, Role role, char other_letter, Role other) {
  if (role == Role::device && other == Role::compiler)
    return fmt::format("the accelerator differs: {} has what the compiled network {} computes right", who(letter, target), other_letter);
  if (role == Role::device) return fmt::format("the accelerator differs: {} alone, {} is right", who(letter, target), other_letter);
  if (role == Role::compiler) return fmt::format("the compiler's network {} differs, {} is right", who(letter, target), other_letter);
  return fmt::format("the library {} differs, {} is right", who(letter, target), other_letter);
}

std::string alike(Role a, Role b) {
  if (a == Role::library || b == Role::library)
    return "the reference library differs: A and B agree with each other";
  if (a == Role::compiler || b == Role::compiler)
    return "the compiler differs: what it made of the network has the error already, the device runs it as it is";
  return "A and B agree with each other and not with the reference: what both builds share (model file, compiler), or the "
         "reference itself, differs";
}

class Judge {
 public:
  Judge(ThreeWay& t, const std::string& a, const std::string& b) : t_(t), a_(a), b_(b) {}

  void run(const Answer& a, const Answer& b) {
    if (a.verdict.healthy && b.verdict.healthy) return healthy(a, b);
    const int wa = first(a, &ThreeWayRow::state_a), wb = first(b, &ThreeWayRow::state_b);
    if (wa < 0 && wb < 0) {
      t_.verdict = "mismatch, at tensors that only one of the two yields";
      return;
    }
    const Role ra = role_of(a_), rb = role_of(b_);
    t_.first = wa < 0 ? wb : wb < 0 ? wa : std::min(wa, wb);
    const ThreeWayRow& row = t_.rows[static_cast<std::size_t>(t_.first)];
    const bool bad_a = row.state_a == Judgement::wrong && wa >= 0, bad_b = row.state_b == Judgement::wrong && wb >= 0;
    if (bad_a && bad_b && same(row)) {
      t_.verdict = alike(ra, rb);
    } else if (bad_a && bad_b) {
      t_.verdict = "A and B differ from the reference here, each in its own way";
    } else if (wa >= 0 && wb >= 0) {
      t_.verdict = fmt::format("{} differs first; {} differs too, further on, in another operation",
                               bad_a ? who('A', a_) : who('B', b_), bad_a ? 'B' : 'A');
    } else {
      t_.verdict = bad_a ? alone('A', a_, ra, 'B', rb) : alone('B', b_, rb, 'A', ra);
    }
    t_.why = fmt::format("first at {}: {} of {} values of A differ from the reference, {} of B, {} between A and B", row.name,
                         row.a.differing, row.a.count, row.b.differing, row.between.differing);
  }

 private:
  void healthy(const Answer& a, const Answer& b) {
    const bool same_all = std::ranges::all_of(t_.rows, [](const ThreeWayRow& r) { return r.between.identical(); });
    const bool equal = std::ranges::all_of(t_.rows, [](const ThreeWayRow& r) { return r.a.identical(); });
    if (equal && same_all) t_.verdict = "all three are equal on every value";
    else if (same_all) t_.verdict = "A and B are equal on every value; the reference rounds in another way";
    else t_.verdict = "all three agree within rounding";
    for (const auto& [letter, answer] : {std::pair{'A', &a}, std::pair{'B', &b}})
      if (!answer->verdict.computes_as.empty())
        t_.why += fmt::format("{}{} computes as {}", t_.why.empty() ? "" : "; ", letter, answer->verdict.computes_as);
  }

  // The first row that is wrong; -1 for a healthy device, whatever its rows say.
  int first(const Answer& answer, Judgement ThreeWayRow::* state) const {
    if (answer.verdict.healthy) return -1;
    const auto it = std::ranges::find(t_.rows, Judgement::wrong, state);
    return it == t_.rows.end() ? -1 : static_cast<int>(it - t_.rows.begin());
  }

  // A and B have one error: they differ from each other by rounding at most, and far less than from the reference.
  static bool same(const ThreeWayRow& row) {
    if (row.between.identical()) return true;
    if (row.between.not_finite) return false;
    const bool close = row.between.has_lsb ? row.between.max_lsb <= 1 : row.between.max_abs <= 1e-4 * row.a.max_abs;
    return close && row.between.rmse < 0.25 * std::min(row.a.rmse, row.b.rmse);
  }

  ThreeWay& t_;
  const std::string &a_, &b_;
};

}  // namespace

Role role_of(const std::string& target) {
  if (find_arithmetic(target)) return Role::library;
  const bool model = target.ends_with(".onnx") || target.ends_with(".tflite");
  const bool compiled = target.starts_with("npu:") || target.starts_with("c:");
  return (model && !target.starts_with("sim:")) || compiled ? Role::compiler : Role::device;
}

Result<ThreeWay> three_way(const Request& request, const Answer& a, const std::string& target_a, const Answer& b,
                           const std::string& target_b) {
  if (a.observed.size() != b.observed.size())
    return Error{target_b, fmt::format("{} samples", b.observed.size()), fmt::format("{} as {} holds", a.observed.size(), target_a), ""};
  if (!a.sent.empty() && !b.sent.empty() && a.sent != b.sent)
    return Error{target_b, "recorded for other inputs than " + target_a, "the same inputs in both",
                 request.input.empty() ? "give them with --input" : ""};
  ThreeWay t;
  const Graph& g = a.reference->graph();
  for (const Row& row : a.verdict.comparison.rows) {
    const Row* other = row_named(b.verdict.comparison, row.tensor);
    if (!other) continue;
    ThreeWayRow& made = t.rows.emplace_back();
    made = {row.tensor, row.name, row.op, row.whole, other->whole, {}, row.state, other->state};
    Meter meter;
    const QuantParams step = step_of(g, row.value);
    for (std::size_t s = 0; s < a.observed.size(); ++s) {
      const auto x = a.observed[s].find(row.tensor), y = b.observed[s].find(row.tensor);
      if (x == a.observed[s].end() || y == b.observed[s].end()) continue;
      LOCKSTEP_CHECK(meter.add(x->second, step, y->second, step));
    }
    made.between = meter.metrics();
  }
  if (t.rows.empty()) return Error{target_b, "no tensor that " + target_a + " yields too", "at least one in both", ""};
  Judge(t, target_a, target_b).run(a, b);
  return t;
}

}  // namespace lockstep
