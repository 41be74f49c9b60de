#include <algorithm>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>
#include <memory>

#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "diagnose/reduce.h"
#include "report/reduction.h"
#include "run/recording.h"
#include "tool/command.h"
#include "tool/running.h"
#include "tool/terminal.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

// The runs' inputs alone, or with the output as the device had it.
Capture capture_of(const ReducedCase& r, const std::string& source, bool with_output) {
  Capture c;
  c.source = source;
  const auto describe = [&](const std::string& name, const Tensor& t, const QuantParams& q) {
    c.order.push_back(name);
    c.infos.emplace(name, TensorInfo{t.dtype(), t.shape(), q, {}});
  };
  for (const std::string& name : r.inputs) describe(name, r.input.at(name), {});
  if (with_output) describe(r.output, r.device, r.quant);
  const auto add = [&](const Sample& input, const Tensor& device) {
    Sample& sample = c.samples.emplace_back(input);
    if (with_output) sample.emplace(r.output, device);
  };
  for (const ReducedCase::Earlier& run : r.before) add(run.input, run.device);
  add(r.input, r.device);
  return c;
}

// Writes model and tensors, and judges those files alone.
Result<Answer> write_and_judge(const Request& request, const ReducedCase& r,
                               std::string_view arithmetic, const fs::path& folder) {
  LOCKSTEP_CHECK(write_file((folder / r.file).string(), r.model));
  LOCKSTEP_CHECK(write_capture((folder / "input.npz").string(), capture_of(r, "", false)));
  LOCKSTEP_CHECK(write_capture((folder / "device.npz").string(), capture_of(r, "", true)));
  Request again = request;
  again.model = (folder / r.file).string();
  again.target = (folder / "device.npz").string();
  again.input = (folder / "input.npz").string();
  again.reference = arithmetic;
  return answer(again);
}

// The part shows what the whole does: few runs of few values may leave several causes, the whole's
// among them.
bool same_cause(const Answer& whole, const Answer& part) {
  if (part.verdict.healthy || part.verdict.suspects.empty()) return false;
  const Explanation* cause =
      whole.verdict.suspects.empty() ? nullptr : whole.verdict.suspects[0].cause();
  if (!cause) return true;
  const Suspect& shown = part.verdict.suspects[0];
  if (!shown.cause()) return false;
  return std::ranges::any_of(shown.ranked, [&](const Explanation& e) {
    return e.fault == cause->fault && (&e == shown.cause() || e.exact());
  });
}

// Whether what is wrong first are reals, which a part may also show as the codes made of them.
bool wrong_in_reals(const Answer& found) {
  const Verdict& v = found.verdict;
  return !v.suspects.empty() &&
         is_float(found.reference->graph().value(v.comparison.rows[v.suspects[0].row].value).dtype);
}

Result<int> reduce_to(const Request& request, const std::string& folder) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(request.model));
  auto found = answer(request);
  if (!found.ok()) return found.error();
  const std::string_view arithmetic = found->reference->arithmetic().name;
  std::error_code failed;
  const bool new_folder = !fs::exists(folder);
  // Fewer wrong values than a fault needs to be told from rounding or from another fault are no
  // use; a fault that shows something of an earlier run needs that run; one that strikes bytes of
  // reals shows in these alone. At last, whatever is wrong at all.
  constexpr std::int64_t whole = std::numeric_limits<std::int64_t>::max();
  struct Try {
    Keep keep;
    bool any_cause = false;
  };
  std::vector<Try> tries;
  for (const bool codes : {true, false})
    for (const KeptRun earlier : {KeptRun::none, KeptRun::previous, KeptRun::first})
      for (const std::int64_t values :
           {std::int64_t{12}, std::int64_t{48}, std::int64_t{192}, whole})
        tries.push_back({{values, earlier, codes}});
  tries.push_back({{whole, KeptRun::none, true}, true});
  for (const Try& t : tries) {
    if (!t.keep.codes && !wrong_in_reals(*found)) continue;
    const auto made = reduce(request, *found, bytes, t.keep);
    if (!made.ok() && t.keep.earlier != KeptRun::none) continue;
    LOCKSTEP_TRY(const ReducedCase r, made);
    fs::create_directories(folder, failed);
    if (failed)
      return Error{folder, "cannot be made: " + failed.message(), "a folder to write to", ""};
    const auto confirmed = write_and_judge(request, r, arithmetic, folder);
    if (!confirmed.ok()) return confirmed.error();
    if (!(t.any_cause ? !confirmed->verdict.healthy : same_cause(*found, *confirmed))) continue;
    LOCKSTEP_CHECK(write_file((fs::path(folder) / "README.md").string(),
                              page_of_reduction(request, *found, r, *confirmed)));
    end_progress();
    fmt::print("{}", text_of_reduction(request, *found, r, *confirmed, folder));
    return 1;
  }
  for (const char* name : {"model.onnx", "model.tflite", "input.npz", "device.npz"})
    fs::remove(fs::path(folder) / name, failed);
  if (new_folder) fs::remove(folder, failed);
  return Error{request.model, "the wrong operation alone does not show the fault", "one that does",
               "the fault may need the whole network: report that"};
}

}  // namespace

void add_reduce(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "reduce", "the smallest model and input that still show the fault, with a page that says so");
  struct Options {
    Request request;
    std::string folder, state;
  };
  auto o = std::make_shared<Options>();
  command->add_option("MODEL,-m,--model", o->request.model, ".onnx or .tflite")->required();
  command->add_option("--target", o->request.target, "the device, as for `validate`")->required();
  command->add_option("--reference", o->request.reference,
                      "arithmetic of the reference; default: the usual runtime of the format");
  auto* input =
      command->add_option("--input,--valinput", o->request.input, "inputs, as for `validate`");
  command->add_option("--samples", o->request.generated_samples, "how many random inputs")
      ->check(CLI::Range(1, 10000))
      ->excludes(input);
  command->add_option("--seed", o->request.seed, "of the random inputs")->excludes(input);
  command
      ->add_option("--state", o->state,
                   "keep or reset states between samples; default: reset, of a recording "
                   "whichever it agrees with")
      ->check(CLI::IsMember({"keep", "reset"}));
  command
      ->add_option("-o,--output", o->folder,
                   "the folder to write to: the model, input.npz, device.npz, README.md")
      ->required();
  add_dimensions(*command, o->request.dimensions);
  command->footer("Exit code 1 when a fault was found and cut out, 2 when there is none.");
  command->callback([o, &code] {
    o->request.state = state_asked(o->state);
    o->request.progress = show_progress;
    const auto done = reduce_to(o->request, o->folder);
    end_progress();
    code = done.ok() ? *done : fail(done.error());
  });
}

}  // namespace lockstep
