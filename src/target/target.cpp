#include "target/target.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"

namespace lockstep {
namespace {

// "tflit" of "tflite", "seriel:/dev/ttyACM0" of "serial:": the part before the colon, or the whole
// word.
std::string near_scheme(std::string_view uri) {
  std::vector<std::string> words;
  for (const Arithmetic* a : arith_table()) words.emplace_back(a->name);
  for (const std::string_view scheme : {"serial:", "tcp:", "gdb:", "sim:", "c:", "qemu:", "npu:"})
    words.emplace_back(scheme);
  const std::size_t colon = uri.find(':');
  const std::string near = nearest(colon == uri.npos ? uri : uri.substr(0, colon + 1), words);
  return near.empty() || near.ends_with(':') == (colon != uri.npos) ? near : "";
}

// What a word means that is no target: a file of a form nobody reads, a path that is not there, a
// misspelt scheme.
Error no_target(const std::string& uri) {
  const std::string what = "--target " + uri, near = near_scheme(uri);
  if (file_exists(uri))
    return {what, "no form of recorded tensors has this ending",
            ".npz, .npy, .csv, .json, .raw, .bin, .h, .txt or .log",
            "docs/captures.md has the forms"};
  const bool path = uri.find('/') != uri.npos || std::filesystem::path(uri).has_extension();
  if (near.empty() && (path || uri.find(':') == uri.npos))
    return {what, "no such file or folder, and no target of that name",
            "recorded tensors, an arithmetic, or serial:, tcp:, gdb:, sim:, c:, qemu:, npu:",
            "docs/targets.md lists them"};
  return {what, "no such target",
          "recorded tensors, an arithmetic, or serial:, tcp:, gdb:, sim:, c:, qemu:, npu:",
          near.empty() ? "docs/targets.md lists them" : "did you mean '" + near + "'?"};
}

}  // namespace

Result<std::unique_ptr<Target>> open_target(std::string_view uri, const TargetContext& context) {
  for (const TargetDef* def : target_table())
    if (def->matches(uri)) return def->open(uri, context);
  return no_target(std::string(uri));
}

}  // namespace lockstep
