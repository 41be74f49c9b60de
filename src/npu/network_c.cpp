// The files of a generated network: its text, the header of blobs and the weights beside it.
#include "npu/network_c.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "npu/images.h"
#include "npu/network_c_reader.h"

namespace lockstep {

Result<NpuProgram> parse_network_c(std::string_view text, const std::string& file,
                                   const NpuBlobText* blobs) {
  LOCKSTEP_TRY(std::vector<CToken> tokens, lex_c(text, file));
  tokens.push_back(tokens.back());  // so that a look ahead stays inside
  return NetworkReader(std::move(tokens), file, blobs, c_defines(text)).read();
}

namespace {

// The header of blobs beside network.c: the one that it includes, else the only one there.
Result<std::optional<NpuBlobText>> blobs_beside(const std::string& path, std::string_view text) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::string name;
  if (const std::size_t at = text.find("_ecblobs.h\""); at != std::string_view::npos) {
    const std::size_t from = text.rfind('"', at);
    if (from != std::string_view::npos)
      name = std::filesystem::path(text.substr(from + 1, at + 10 - from - 1)).filename().string();
  }
  std::error_code failed;
  if (name.empty() || !std::filesystem::exists(folder / name, failed)) {
    std::vector<std::string> found;
    for (const auto& e : std::filesystem::directory_iterator(folder.empty() ? "." : folder, failed))
      if (e.path().filename().string().ends_with("_ecblobs.h"))
        found.push_back(e.path().filename().string());
    if (found.size() != 1) return std::optional<NpuBlobText>();
    name = found[0];
  }
  LOCKSTEP_TRY(const Bytes bytes, read_file((folder / name).string(), std::uint64_t{1} << 28));
  return std::optional(
      NpuBlobText{(folder / name).string(),
                  std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
}

// The name in a line `#include "name"`; "" for any other line.
std::string included(std::string_view line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return "";
  const std::size_t word = line.find("include", hash), open = line.find('"', hash);
  if (word == std::string_view::npos || open == std::string_view::npos || word > open) return "";
  const std::size_t close = line.find('"', open + 1);
  return close == std::string_view::npos ? ""
                                         : std::string(line.substr(open + 1, close - open - 1));
}

// The file, and in their places those that it includes from beside it and that configure epochs:
// headers of the runtime and of blobs are left out.
Result<std::string> text_with_includes(const std::string& path, int depth) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line = text.substr(at, end - at);
    at = end;
    out += line;
    const std::string name = included(line);
    if (name.empty() || name.ends_with("_ecblobs.h")) continue;
    std::error_code failed;
    const std::string file = (folder / name).string();
    if (!std::filesystem::is_regular_file(file, failed)) continue;
    if (depth >= 8) return Error{path, "a file that includes itself", "headers at most 8 deep", {}};
    LOCKSTEP_TRY(const std::string inner, text_with_includes(file, depth + 1));
    if (inner.find("EpochBlock") != std::string::npos ||
        inner.find("InitTypeDef") != std::string::npos ||
        inner.find("LL_Buffer_InfoTypeDef") != std::string::npos)
      out += inner + "\n";
  }
  return out;
}

}  // namespace

Result<void> write_network_c(const NpuProgram& program, const std::string& path, bool blobs) {
  const std::string stem = path.substr(0, path.size() - (path.ends_with(".c") ? 2 : 0));
  const std::string header = stem + "_ecblobs.h";
  NpuEcText text;
  if (blobs) {
    LOCKSTEP_TRY(text, format_network_c_with_blobs(
                           program, std::filesystem::path(header).filename().string()));
    LOCKSTEP_CHECK(write_file(header, std::string_view(text.header)));
  } else {
    text.c = format_network_c(program);
  }
  LOCKSTEP_CHECK(
      write_file(stem + "_data.hex", std::string_view(format_intel_hex(program.images))));
  return write_file(stem + ".c", std::string_view(text.c));
}

Result<NpuProgram> read_network_c(const std::string& path) {
  LOCKSTEP_TRY(const std::string text, text_with_includes(path, 0));
  LOCKSTEP_TRY(const std::optional<NpuBlobText> blobs, blobs_beside(path, text));
  LOCKSTEP_TRY(NpuProgram program, parse_network_c(text, path, blobs ? &*blobs : nullptr));
  LOCKSTEP_CHECK(find_npu_images(program, std::filesystem::path(path).parent_path().string()));
  return program;
}

}  // namespace lockstep
