#include "diagnose/session.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "diagnose/computes_in_reals.h"
#include "diagnose/envelope.h"
#include "diagnose/on_codes.h"
#include "diagnose/pc_run.h"
#include "diff/inputs.h"
#include "diff/nearer.h"
#include "diff/pair.h"
#include "diff/printed.h"
#include "diff/realign.h"
#include "diff/recode.h"
#include "run/generated.h"
#include "run/recording.h"

namespace lockstep {
namespace {

// Values that hold the network's input already quantized: where a device records codes for a float
// input, the reference starts from those.
bool starts_from_codes(const Graph& g, const Sample& device, Sample& known) {
  for (const ValueId id : g.inputs()) {
    for (const NodeId n : g.consumers(id)) {
      const ValueId y = g.node(n).outputs.empty() ? no_id : g.node(n).outputs[0];
      if (y == no_id || g.node(n).op != "QuantizeLinear") return false;
      const auto it = device.find(g.value(y).name);
      if (it == device.end() || it->second.dtype() != g.value(y).dtype) return false;
      known.emplace(it->first, it->second);
    }
  }
  return true;
}

std::vector<std::string> wanted_names(const Graph& g, const Pairing& pairing) {
  std::vector<std::string> names;
  for (const Pair& pair : pairing.pairs) names.push_back(pair.reference);
  for (const ValueId id : g.outputs())
    if (std::ranges::find(names, g.value(id).name) == names.end())
      names.push_back(g.value(id).name);
  return names;
}

class Session {
 public:
  explicit Session(const Request& request)
      : q_(request), state_(request.state.value_or(StateMode::reset)) {}

  Result<Answer> run() {
    LOCKSTEP_TRY(const Tolerance tolerance, parse_tolerance(q_.tolerance));
    say("reading " + q_.model);
    LOCKSTEP_TRY(const Graph model, import_for_inputs(q_.model, q_.input, q_.dimensions));
    LOCKSTEP_TRY(const Arithmetic* arithmetic,
                 arithmetic_for(q_.reference, model.format(), "--reference"));
    LOCKSTEP_TRY(Executor executor, Executor::make(model, *arithmetic));
    a_.reference = std::make_shared<const Executor>(std::move(executor));
    LOCKSTEP_TRY(
        auto target,
        open_target(
            q_.target,
            {model, *arithmetic, state_, {q_.repeat, kept_name(), q_.resume, q_.progress}}));
    a_.device = target->describe();
    LOCKSTEP_CHECK(choose_inputs(model));
    say("running " + q_.target);
    LOCKSTEP_TRY(const Capture capture, target->run(sent_, {}));
    LOCKSTEP_TRY(Pairing pairing, pair_tensors(a_.reference->graph(), capture));
    LOCKSTEP_CHECK(has_results(pairing));
    for (const auto& notes : {a_.device.notes, capture.notes, pairing_notes(pairing)})
      for (const std::string& note : notes)
        if (std::ranges::find(a_.notes, note) == a_.notes.end()) a_.notes.push_back(note);
    a_.notes = folded_notes(a_.notes);
    for (const Capture& held : {capture, in_reference_names(pairing, capture.source)})
      if (sent_.empty())
        if (auto recorded = inputs_from(model, held, a_.notes); recorded.ok())
          sent_ = std::move(*recorded);
    LOCKSTEP_CHECK(run_reference(pairing));
    LOCKSTEP_CHECK(choose_state(pairing));
    if (std::string moved = recode(expected_, pairing); !moved.empty())
      a_.notes.push_back(std::move(moved));
    if (!a_.device.takes_inputs)
      std::ranges::move(restore_printed(a_.reference->graph(), pairing.samples),
                        std::back_inserter(a_.notes));
    if (!sent_.empty() && !sent_[0].empty())
      if (std::string turned = realign(a_.reference->graph(), expected_, pairing.samples);
          !turned.empty())
        a_.notes.push_back(std::move(turned));
    say("comparing");
    std::optional<std::vector<Executor>> others, carriers;
    Case c{.reference = *a_.reference,
           .recorded = {sent_, expected_, pairing.samples, state_},
           .tolerance = tolerance,
           .others = [&]() -> std::span<const Executor> {
             if (!others) others = other_arithmetics(model, *arithmetic);
             return *others;
           },
           .search = {},
           .carriers = [&]() -> std::span<const Executor> {
             if (!carriers) carriers = on_codes(model, *arithmetic);
             return *carriers;
           },
           .model = q_.model,
           .target = q_.target,
           .input = q_.input,
           .units = q_.units,
           .asked = asked(),
           .generated = generated()};
    c.search.progress = q_.progress;
    LOCKSTEP_TRY(a_.verdict, judge(c, without_weights(model, pairing.left_device)));
    if (a_.verdict.unexplained() && computes_in_reals(a_.reference->graph(), pairing.samples))
      a_.verdict.next = {
          "nothing more: most of what was recorded lies between the codes of this model, as a "
          "float model's answers do",
          "how far quantization takes the two apart is a gate's question: lockstep validate " +
              quoted(q_.model) + " --target " + quoted(q_.target) +
              (q_.input.empty() ? "" : " --input " + quoted(q_.input)) +
              " --tolerance cosine:0.95"};
    tell_of_builds();
    tell_of_outputs(pairing);
    tell_of_deaf_outputs(pairing);
    a_.verdict.notes = folded_notes(a_.verdict.notes);
    if (q_.envelope || (a_.verdict.healthy && !a_.verdict.comparison.identical() &&
                        tolerance.kind != Tolerance::Kind::cosine)) {
      say("measuring the envelope");
      LOCKSTEP_TRY(a_.verdict.envelope, envelope_of(c));
    }
    const std::string pc = q_.pc.empty() && holds_pc_outputs(q_.target) ? q_.target : q_.pc;
    if (!pc.empty()) {
      say("judging " + pc);
      auto judged = judge_pc(pc, {model, *a_.reference, sent_, pairing.samples, state_, c.others()},
                             a_.verdict);
      if (!judged.ok() && !q_.pc.empty()) return judged.error();
      if (judged.ok()) a_.verdict.pc = std::move(*judged);
    }
    a_.sent = std::move(sent_);
    a_.state = state_;
    a_.expected = std::move(expected_);
    a_.observed = std::move(pairing.samples);
    return std::move(a_);
  }

 private:
  // Evidence of more than one build carries a verdict about the first only as far as all compute
  // alike.
  void tell_of_builds() {
    const bool several = std::ranges::any_of(
        a_.notes, [](const std::string& n) { return n.find(", another build") != n.npos; });
    if (!several) return;
    a_.verdict.summary += ", on captures of more than one build";
    a_.verdict.notes.push_back(
        "tensors of another build are no proof about this one: its buffers lie elsewhere; captures "
        "of one build settle it");
  }

  // An output that answers every input alike is right on a wrong device too.
  void tell_of_deaf_outputs(const Pairing& pairing) {
    constexpr std::size_t least = 3;
    const Graph& g = a_.reference->graph();
    const auto all_alike = [&](const std::string& name) {
      const auto first = expected_[0].find(name);
      return first != expected_[0].end() && std::ranges::all_of(expected_, [&](const Sample& s) {
               return s.contains(name) && s.at(name) == first->second;
             });
    };
    const bool inner = std::ranges::any_of(pairing.pairs, [&](const Pair& p) {
      const ValueId id = g.find_value(p.reference);
      return g.value(id).producer != no_id && std::ranges::count(g.outputs(), id) == 0 &&
             !all_alike(p.reference);
    });
    if (!a_.verdict.healthy || inner || expected_.size() < least) return;
    const auto outputs = g.outputs();
    if (std::ranges::all_of(outputs, [&](ValueId id) { return all_alike(g.value(id).name); }))
      a_.verdict.notes.push_back(
          fmt::format("the reference answers all {} inputs alike: a wrong device would look right "
                      "here too; other inputs (--input), or inner "
                      "tensors, tell more",
                      expected_.size()));
  }

  // A verdict about inner tensors alone is none about what the user reads.
  void tell_of_outputs(const Pairing& pairing) {
    const Graph& g = a_.reference->graph();
    const auto held = [&](const std::string& name) {
      return std::ranges::any_of(pairing.pairs, [&](const Pair& p) { return p.reference == name; });
    };
    std::vector<std::string> missing;
    for (const ValueId id : g.outputs()) {
      const NodeId maker = g.value(id).producer;
      const bool from_codes = maker != no_id && g.node(maker).op == "DequantizeLinear";
      if (!held(g.value(id).name) && !(from_codes && held(g.value(g.node(maker).inputs[0]).name)))
        missing.push_back("'" + g.value(id).name + "'");
    }
    if (!missing.empty() && a_.verdict.healthy)
      a_.verdict.notes.push_back("the network's output " + join(missing, ", ") +
                                 " is not among the captures: nothing is said about it");
  }

  // What was sent says nothing about what the device made of it.
  Result<void> has_results(const Pairing& pairing) const {
    const Graph& g = a_.reference->graph();
    const bool any = std::ranges::any_of(pairing.pairs, [&](const Pair& p) {
      return g.value(g.find_value(p.reference)).producer != no_id;
    });
    if (any || g.nodes().empty()) return {};
    return Error{q_.target,
                 "only inputs of " + q_.model + " are recognized in it" +
                     (pairing.left_device.empty() ? "" : ", not '" + pairing.left_device[0] + "'"),
                 "at least one tensor that the device computed",
                 "name recorded tensors as the model does: lockstep inspect lists them"};
  }

  // Where captures go when the link breaks: beside the user, named after the model.
  std::string kept_name() const {
    if (!q_.resume.empty()) return q_.resume;
    return std::filesystem::path(q_.model).stem().string() + ".partial.npz";
  }

  // What a printed command must say again.
  std::string asked() const {
    std::string text;
    for (const auto& [name, extent] : q_.dimensions)
      text += " --dim " + quoted(fmt::format("{}={}", name, extent));
    return text + (state_ == StateMode::keep ? " --state keep" : "");
  }
  std::string generated() const {
    const Request usual;
    const bool as_usual = q_.generated_samples == usual.generated_samples && q_.seed == usual.seed;
    return as_usual ? "" : fmt::format(" --samples {} --seed {}", q_.generated_samples, q_.seed);
  }

  void say(const std::string& what) const {
    if (q_.progress) q_.progress(what);
  }

  Result<void> choose_inputs(const Graph& model) {
    if (!q_.input.empty()) {
      LOCKSTEP_TRY(sent_, read_inputs(q_.input, model, a_.notes));
      a_.input = q_.input;
    } else if (a_.device.takes_inputs) {
      sent_ = generated_inputs(model, q_.generated_samples, q_.seed);
      a_.input = fmt::format(
          "seeded random inputs (seed {}); --input gives real ones, which exercise more", q_.seed);
    }
    return {};
  }

  // What was paired, under names that the model knows: inputs may stand there whose own names are
  // gone.
  Capture in_reference_names(const Pairing& pairing, const std::string& source) const {
    const Graph& g = a_.reference->graph();
    Capture held;
    held.source = source;
    held.samples = pairing.samples;
    for (const Pair& pair : pairing.pairs) {
      const Value& v = g.value(g.find_value(pair.reference));
      held.order.push_back(v.name);
      held.infos.emplace(v.name, TensorInfo{v.dtype, v.shape, v.quant, v.origin});
    }
    return held;
  }

  // Another number of samples than inputs; which inputs they are of, where that shows.
  Error other_count(const Pairing& pairing, const std::vector<std::string>& wanted) const {
    Error e{q_.target, std::to_string(pairing.samples.size()) + " samples",
            std::to_string(sent_.size()) + " as the inputs hold",
            "record and feed the same samples"};
    const auto made = a_.reference->run(sent_, without_inputs(a_.reference->graph(), wanted), {});
    if (!made.ok() || sent_.size() > 256) return e;
    std::string of;
    for (const Sample& device : pairing.samples) {
      std::size_t found = 0, matches = 0;
      for (std::size_t t = 0; t < made->samples.size(); ++t) {
        const bool equal = std::ranges::all_of(made->samples[t], [&](const auto& entry) {
          const auto it = device.find(entry.first);
          return it == device.end() || it->second == entry.second;
        });
        if (equal && ++matches == 1) found = t;
      }
      if (matches == 0) return e;
      of += (of.empty() ? "" : ", ") + std::to_string(found + 1) +
            (matches > 1 ? " (or others)" : "");
    }
    e.hint = (pairing.samples.size() == 1 ? "it is the answer to input "
                                          : "they are the answers to inputs ") +
             of + ": give --input with " +
             (pairing.samples.size() == 1 ? "that one alone" : "those alone");
    return e;
  }

  Result<void> run_reference(const Pairing& pairing) {
    const Graph& g = a_.reference->graph();
    const std::vector<std::string> wanted = wanted_names(g, pairing);
    if (a_.input.empty()) a_.input = "inputs as recorded in " + q_.target;
    if (!sent_.empty()) {
      if (sent_.size() != pairing.samples.size()) return other_count(pairing, wanted);
      say("running the reference");
      RunOptions options;
      options.state = state_;
      LOCKSTEP_TRY(Capture capture, a_.reference->run(sent_, wanted, options));
      expected_ = std::move(capture.samples);
      return {};
    }
    for (const Sample& sample : pairing.samples) {
      Sample known;
      if (!starts_from_codes(g, sample, known))
        return Error{q_.target, "holds no inputs of the network",
                     "--input with what was fed to the device", ""};
      LOCKSTEP_TRY(Sample made, a_.reference->run_from(known, without_inputs(g, wanted)));
      expected_.push_back(std::move(made));
    }
    sent_.resize(pairing.samples.size());
    return {};
  }

  // A recording does not say whether the device kept the model's states: it is held against what
  // the reference makes in the way that agrees with more of it.
  Result<void> choose_state(const Pairing& pairing) {
    if (q_.state || a_.device.takes_inputs || a_.reference->graph().states().empty() ||
        sent_.size() < 2 || sent_[0].empty())
      return {};
    std::vector<Sample> begun_anew = std::move(expected_);
    state_ = StateMode::keep;
    LOCKSTEP_CHECK(run_reference(pairing));
    const std::int64_t kept = nearer(expected_, begun_anew, pairing);
    if (kept > 0) {
      a_.notes.push_back(
          "the recording agrees with states kept from sample to sample: compared so, as with "
          "--state keep");
    } else {
      if (kept < 0)
        a_.notes.push_back(
            "the recording agrees with states begun anew in every sample: compared so; whether "
            "the device should have kept them is asked by --state keep");
      state_ = StateMode::reset;
      expected_ = std::move(begun_anew);
    }
    return {};
  }

  // Names that the model gives to weights it dequantizes or reshapes: no partner is missed there.
  static std::vector<std::string> without_weights(const Graph& g,
                                                  const std::vector<std::string>& names) {
    std::vector<bool> varies(g.values().size(), false);
    for (std::size_t v = 0; v < varies.size(); ++v)
      varies[v] = !g.values()[v].constant && g.values()[v].producer == no_id;
    for (const Node& node : g.nodes())
      for (const ValueId in : node.inputs)
        if (in != no_id && varies[static_cast<std::size_t>(in)])
          for (const ValueId out : node.outputs)
            if (out != no_id) varies[static_cast<std::size_t>(out)] = true;
    std::vector<std::string> kept;
    for (const std::string& name : names) {
      const ValueId id = g.find_value(name);
      if (id == no_id || varies[static_cast<std::size_t>(id)]) kept.push_back(name);
    }
    return kept;
  }

  static std::vector<std::string> without_inputs(const Graph& g,
                                                 const std::vector<std::string>& names) {
    std::vector<std::string> kept;
    for (const std::string& name : names)
      if (!std::ranges::count(g.inputs(), g.find_value(name))) kept.push_back(name);
    return kept;
  }

  const Request& q_;
  StateMode state_;
  Answer a_;
  std::vector<Sample> sent_, expected_;
};

}  // namespace

Result<Answer> answer(const Request& request) {
  return Session(request).run();
}

}  // namespace lockstep
