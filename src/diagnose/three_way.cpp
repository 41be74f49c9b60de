#include "diagnose/three_way.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace lockstep {
namespace {

const Row* row_named(const Comparison& c, const std::string& tensor) {
  const auto it = std::ranges::find(c.rows, tensor, &Row::tensor);
  return it == c.rows.end() ? nullptr : &*it;
}

std::string who(char letter, const std::string& target) {
  return fmt::format("{} ({})", letter, target);
}

std::string alone(char letter, const std::string& target, Role role, char other_letter,
                  Role other) {
  if (role == Role::device && other == Role::compiler)
    return fmt::format(
        "the accelerator differs: {} has what the compiled network {} computes right",
        who(letter, target), other_letter);
  if (role == Role::device)
    return fmt::format("the accelerator differs: {} alone, {} is right", who(letter, target),
                       other_letter);
  if (role == Role::compiler)
    return fmt::format("the compiler's network {} differs, {} is right", who(letter, target),
                       other_letter);
  return fmt::format("the library {} differs, {} is right", who(letter, target), other_letter);
}

std::string alike(Role a, Role b) {
  if (a == Role::library || b == Role::library)
    return "the reference library differs: A and B agree with each other";
  if (a == Role::compiler || b == Role::compiler)
    return "the compiler differs: what it made of the network has the error already, the device "
           "runs it as it is";
  return "A and B agree with each other and not with the reference: what both builds share (model "
         "file, compiler), or the "
         "reference itself, differs";
}

std::string differs_in(const Answer& a) {
  const int first = a.verdict.comparison.first_wrong();
  return first < 0 ? "an operation that was not found"
                   : a.verdict.comparison.rows[static_cast<std::size_t>(first)].name;
}

class Judge {
 public:
  Judge(ThreeWay& t, const std::string& a, const std::string& b, const Answer& answer_a,
        const Answer& answer_b)
      : t_(t), a_(a), b_(b), answer_a_(answer_a), answer_b_(answer_b) {}

  void run() {
    if (answer_a_.verdict.healthy && answer_b_.verdict.healthy) return healthy();
    if (no_evidence('A', a_, answer_a_) || no_evidence('B', b_, answer_b_)) return;
    const int wa = first(answer_a_, &ThreeWayRow::state_a),
              wb = first(answer_b_, &ThreeWayRow::state_b);
    const bool apart_a = !answer_a_.verdict.healthy && wa < 0,
               apart_b = !answer_b_.verdict.healthy && wb < 0;
    if (apart_a || apart_b)
      at_unshared(apart_a, apart_b);
    else
      at_shared(wa, wb);
    tell_causes();
  }

 private:
  // A recording that is wrong itself, or a verdict that is open, blames nobody.
  bool no_evidence(char letter, const std::string& target, const Answer& answer) {
    const Verdict& v = answer.verdict;
    if (v.healthy || (!v.suspects.empty() && !v.undecided)) return false;
    t_.verdict =
        v.undecided
            ? fmt::format("cannot decide: what {} yields may be rounding or a fault",
                          who(letter, target))
            : fmt::format("nothing can be said: the verdict on {} is no mismatch of an operation",
                          who(letter, target));
    t_.why = v.summary;
    return true;
  }

  void at_shared(int wa, int wb) {
    const Role ra = role_of(a_), rb = role_of(b_);
    t_.first = wa < 0 ? wb : wb < 0 ? wa : std::min(wa, wb);
    const ThreeWayRow& row = t_.rows[static_cast<std::size_t>(t_.first)];
    const bool bad_a = row.state_a == Judgement::wrong && wa >= 0,
               bad_b = row.state_b == Judgement::wrong && wb >= 0;
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
    t_.why = "first at " + figures(row);
  }

  // The wrong operation's tensor is one that the other target does not yield: what both yield
  // decides between them.
  void at_unshared(bool apart_a, bool apart_b) {
    const Role ra = role_of(a_), rb = role_of(b_);
    t_.first = static_cast<int>(t_.rows.size()) - 1;
    const bool equal = std::ranges::all_of(
        t_.rows, [](const ThreeWayRow& r) { return r.between.identical() || same(r); });
    if (answer_b_.verdict.healthy)
      t_.verdict = alone('A', a_, ra, 'B', rb);
    else if (answer_a_.verdict.healthy)
      t_.verdict = alone('B', b_, rb, 'A', ra);
    else if (equal)
      t_.verdict = alike(ra, rb);
    else
      t_.verdict = "A and B differ from the reference, and from each other";
    for (const auto& [apart, letter, other, answer] :
         {std::tuple{apart_a, 'A', 'B', &answer_a_}, std::tuple{apart_b, 'B', 'A', &answer_b_}})
      if (apart)
        t_.why += fmt::format("{} differs first at {}, where {} yields nothing to compare; ",
                              letter, differs_in(*answer), other);
    t_.why += "at " + figures(t_.rows.back());
  }

  static std::string figures(const ThreeWayRow& row) {
    return fmt::format(
        "{}: {} of {} values of A differ from the reference, {} of B, {} between A and B", row.name,
        row.a.differing, row.a.count, row.b.differing, row.between.differing);
  }

  // What the search found of each side, and what a right side is.
  void tell_causes() {
    for (const auto& [letter, answer] : {std::pair{'A', &answer_a_}, std::pair{'B', &answer_b_}}) {
      const Verdict& v = answer->verdict;
      if (v.healthy && !v.computes_as.empty())
        t_.why += fmt::format("; {} computes as {}", letter, v.computes_as);
      if (v.healthy || v.suspects.empty()) continue;
      const Explanation* cause = v.suspects[0].cause();
      t_.why += cause ? fmt::format("; {}: {}{}, {}", letter, cause->certain ? "" : "perhaps ",
                                    cause->fault->name, cause->claim)
                      : fmt::format("; {}: unexplained", letter);
    }
  }

  void healthy() {
    t_.agree = true;
    const bool same_all =
        std::ranges::all_of(t_.rows, [](const ThreeWayRow& r) { return r.between.identical(); });
    const bool equal =
        std::ranges::all_of(t_.rows, [](const ThreeWayRow& r) { return r.a.identical(); });
    if (equal && same_all)
      t_.verdict = "all three are equal on every value";
    else if (same_all)
      t_.verdict = "A and B are equal on every value; the reference rounds in another way";
    else
      t_.verdict = "all three agree within rounding";
    for (const auto& [letter, answer] : {std::pair{'A', &answer_a_}, std::pair{'B', &answer_b_}})
      if (!answer->verdict.computes_as.empty())
        t_.why += fmt::format("{}{} computes as {}", t_.why.empty() ? "" : "; ", letter,
                              answer->verdict.computes_as);
  }

  // The first shared row that is wrong; -1 for a healthy device, whatever its rows say, and where
  // an operation before all of these is wrong.
  int first(const Answer& answer, Judgement ThreeWayRow::*state) const {
    const int own = answer.verdict.comparison.first_wrong();
    if (answer.verdict.healthy || own < 0) return -1;
    const auto it = std::ranges::find(t_.rows, Judgement::wrong, state);
    if (it == t_.rows.end() ||
        it->tensor != answer.verdict.comparison.rows[static_cast<std::size_t>(own)].tensor)
      return -1;
    return static_cast<int>(it - t_.rows.begin());
  }

  // A and B have one error: they differ from each other by rounding at most, and far less than from
  // the reference.
  static bool same(const ThreeWayRow& row) {
    if (row.between.identical()) return true;
    if (row.between.not_finite) return false;
    const bool close = row.between.has_lsb ? row.between.max_lsb <= 1
                                           : row.between.max_abs <= 1e-4 * row.a.max_abs;
    return close && row.between.rmse < 0.25 * std::min(row.a.rmse, row.b.rmse);
  }

  ThreeWay& t_;
  const std::string &a_, &b_;
  const Answer &answer_a_, &answer_b_;
};

}  // namespace

Role role_of(const std::string& target) {
  if (find_arithmetic(target)) return Role::library;
  const bool model = target.ends_with(".onnx") || target.ends_with(".tflite");
  const bool compiled =
      target.starts_with("npu:") || target.starts_with("c:") || target.starts_with("qemu:");
  return (model && !target.starts_with("sim:")) || compiled ? Role::compiler : Role::device;
}

Result<ThreeWay> three_way(const Request& request, const Answer& a, const std::string& target_a,
                           const Answer& b, const std::string& target_b) {
  if (a.observed.size() != b.observed.size())
    return Error{target_b, fmt::format("{} samples", b.observed.size()),
                 fmt::format("{} as {} holds", a.observed.size(), target_a), ""};
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
  if (t.rows.empty())
    return Error{target_b, "no tensor that " + target_a + " yields too", "at least one in both",
                 ""};
  Judge(t, target_a, target_b, a, b).run();
  return t;
}

}  // namespace lockstep
