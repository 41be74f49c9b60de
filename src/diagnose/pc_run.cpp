#include "diagnose/pc_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "diagnose/computes_in_reals.h"
#include "diagnose/judge.h"
#include "diff/pair.h"
#include "run/recording.h"

namespace lockstep {
namespace {

constexpr double search_share = 0.5;  // of what the device's search may compute

// ST's names: where "m_outputs_1" is, the PC's own answer, "c_outputs_1" is the device's.
bool is_port(const std::string& name, std::string_view port) {
  const std::size_t at = name.rfind(port);
  return at != name.npos && (at == 0 || name[at - 1] == '_');
}

Recording pc_side(Recording r) {
  const bool both = std::ranges::any_of(
      r.arrays, [](const RecordedArray& a) { return is_port(a.name, "m_outputs"); });
  if (!both) return r;
  std::erase_if(r.arrays, [](const RecordedArray& a) {
    return is_port(a.name, "c_outputs") || is_port(a.name, "c_inputs");
  });
  for (RecordedArray& a : r.arrays)
    if (is_port(a.name, "m_outputs")) a.name.replace(a.name.rfind("m_outputs"), 1, "c");
  return r;
}

class Judge {
 public:
  Judge(const PcQuestion& q, const Verdict& device)
      : q_(q), device_(device), g_(q.reference.graph()) {}

  Result<PcRun> run(const std::string& file) {
    p_.file = file;
    LOCKSTEP_TRY(const Recording recording, read_recording(file));
    LOCKSTEP_TRY(const Capture capture, capture_from(pc_side(recording), q_.model,
                                                     static_cast<std::int64_t>(q_.sent.size())));
    LOCKSTEP_TRY(pairing_, pair_tensors(g_, capture));
    if (pairing_.samples.size() != q_.sent.size())
      return Error{file, std::to_string(pairing_.samples.size()) + " samples",
                   std::to_string(q_.sent.size()) + " as the device's",
                   "run the PC with the same inputs"};
    std::vector<std::string> wanted;
    for (const Pair& p : pairing_.pairs) wanted.push_back(p.reference);
    RunOptions options;
    options.state = q_.state;
    LOCKSTEP_TRY(Capture expected, q_.reference.run(q_.sent, wanted, options));
    expected_ = std::move(expected.samples);
    LOCKSTEP_CHECK(classify());
    conclude();
    return std::move(p_);
  }

 private:
  Case as_case(Others others) const {
    Case c{.reference = q_.reference,
           .recorded = {q_.sent, expected_, pairing_.samples, q_.state},
           .tolerance = {},
           .others = std::move(others),
           .search = {},
           .carriers = {},
           .model = q_.model.file(),
           .target = p_.file,
           .input = ""};
    c.search.work *= search_share;
    return c;
  }

  Result<void> classify() {
    const Case c = as_case([this] { return q_.others; });
    LOCKSTEP_TRY(const Verdict v, lockstep::judge(c));
    for (const Row& row : v.comparison.rows)
      if (!row.whole.identical() && (row.node != no_id || p_.tensor.empty())) {
        p_.tensor = row.tensor;
        p_.metrics = row.whole;
        break;
      }
    if (v.computes_as == "float") {
      p_.is =
          "what the model is in reals, without its quantization: a float run, not what the device "
          "is to compute";
      p_.advice = {
          "compare the device with the quantized model's run; how far that lies from the reals is "
          "quantization, and no device mends it"};
      return {};
    }
    p_.right = v.healthy;
    if (v.healthy) {
      p_.is = v.computes_as.empty()
                  ? "what " + std::string(q_.reference.arithmetic().name) + " computes"
                  : "what " + v.computes_as + " computes";
      if (!v.comparison.identical() && v.computes_as.empty()) p_.is += ", within rounding";
      return {};
    }
    if (saturates() || is_float_run()) return {};
    by_cause(v);
    return {};
  }

  // The one named arithmetic that is a processor's defect.
  bool saturates() {
    const Arithmetic* a = find_arithmetic("ort-u8s8-saturating");
    auto made = a ? Executor::make(q_.model, *a) : Result<Executor>(Error{"", "", "", ""});
    if (!made.ok()) return false;
    const std::vector<Executor> one{std::move(*made)};
    const Case c = as_case([&one] { return std::span<const Executor>(one); });
    const auto comparison = compare(q_.reference, c.recorded, c.tolerance, {});
    if (!comparison.ok()) return false;
    const auto name = computes_as(c, *comparison);
    if (!name.ok() || name->empty()) return false;
    p_.is =
        "what ort-u8s8-saturating computes: a processor without VNNI adds products of uint8 by "
        "int8 in pairs that saturate at 16 bits";
    p_.advice = {
        "run the PC's side on a processor with VNNI, or with int8 activations (QDQ signed), or "
        "quantize weights to 7 bits (reduce_range)",
        "leave the device as it is: its numbers are the model's"};
    return true;
  }

  bool is_float_run() {
    for (const Pair& pair : pairing_.pairs) {
      const ValueId id = g_.find_value(pair.reference);
      if (g_.value(id).producer == no_id) continue;
      const auto it = pairing_.samples[0].find(pair.reference);
      if (it == pairing_.samples[0].end() || !off_grid(it->second, step_of(g_, id))) continue;
      p_.is = fmt::format(
          "reals between the codes of '{}' ({:.5f} cosine to the quantized model's): a float "
          "model's answer, not this model's",
          pair.reference, p_.metrics.cosine);
      p_.advice = {
          "compare the device with the quantized model's run on the PC; how far that lies from the "
          "float model is quantization, and no device mends it"};
      return true;
    }
    return false;
  }

  void by_cause(const Verdict& v) {
    const Explanation* cause = v.suspects.empty() ? nullptr : v.suspects[0].cause();
    constexpr std::string_view foreign = "the captures do not belong to this run: ";
    if (!cause && v.summary.starts_with(foreign)) {
      foreign_ = true;
      p_.is = "not a recording of this run: " + v.summary.substr(foreign.size());
      p_.advice = {"record the PC's run on the inputs given here, in their order"};
      return;
    }
    if (!cause) {
      p_.is = "not what any named arithmetic computes, and no cause of the catalogue reproduces it";
      p_.advice = {
          "record the PC's inner tensors too (lockstep expose), and diagnose them as a target of "
          "their own"};
      return;
    }
    p_.spec = cause->spec;
    const bool input = cause->fault->stage == Stage::input;
    p_.is = (input ? "a run on other inputs than the device had: " : "") + cause->claim +
            fmt::format(" (reproduces {} of {} values)", cause->matching(), cause->values);
    p_.advice = {
        input ? "feed the PC the very bytes that the device had; its own preprocessing is the fault"
              : "mend the PC's side: the device does not have this fault"};
  }

  bool equals_device() const {
    bool some = false;
    for (std::size_t s = 0; s < pairing_.samples.size() && s < q_.device.size(); ++s)
      for (const auto& [name, tensor] : pairing_.samples[s]) {
        const ValueId id = g_.find_value(name);
        const auto it = q_.device[s].find(name);
        if (id == no_id || g_.value(id).producer == no_id || it == q_.device[s].end()) continue;
        if (!(it->second == tensor)) return false;
        some = true;
      }
    return some;
  }

  void conclude() {
    const std::string should(q_.reference.arithmetic().name);
    const std::string device = device_.computes_as.empty() ? should : device_.computes_as;
    if (p_.right) {
      p_.verdict = device_.healthy ? "the PC's run and the device agree"
                                   : "the PC's run is right; the device differs";
    } else if (foreign_) {
      p_.verdict =
          "the PC's recording does not belong to this run: it says nothing about the model";
    } else if (device_.healthy) {
      p_.faulty = true;
      p_.verdict = fmt::format(
          "the reference is wrong: the device has what {} computes, the PC's run does not", device);
    } else if (equals_device()) {
      p_.verdict =
          "the PC's run and the device agree with each other and not with this model on these "
          "inputs: what both share (model file, inputs) differs";
      p_.advice = {"compare the model file and the inputs that both were given with these"};
    } else {
      p_.verdict = "the PC's run and the device differ from " + should +
                   (same_cause() ? ", by the same cause" : ", each in its own way");
      if (same_cause()) p_.advice = {"the device has this fault too: mend what both share"};
    }
  }

  bool same_cause() const {
    const Explanation* cause = device_.suspects.empty() ? nullptr : device_.suspects[0].cause();
    return cause && !p_.spec.empty() && cause->spec == p_.spec;
  }

  const PcQuestion& q_;
  const Verdict& device_;
  const Graph& g_;
  Pairing pairing_;
  std::vector<Sample> expected_;
  bool foreign_ = false;  // what was recorded is of another run
  PcRun p_;
};

}  // namespace

Result<PcRun> judge_pc(const std::string& file, const PcQuestion& question, const Verdict& device) {
  if (question.sent.empty() || question.sent[0].empty())
    return Error{file, "cannot be judged without the network's inputs",
                 "--input with what device and PC were fed", ""};
  return Judge(question, device).run(file);
}

bool holds_pc_outputs(const std::string& path) {
  if (!lower(path).ends_with(".npz")) return false;
  const auto members = read_npz(path);
  return members.ok() &&
         std::ranges::any_of(*members, [](const auto& m) { return is_port(m.first, "m_outputs"); });
}

}  // namespace lockstep
