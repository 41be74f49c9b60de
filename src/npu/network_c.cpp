// The files of a generated network: its text, the header of blobs and the weights beside it.
#include "npu/network_c.h"

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

}  // namespace

Result<NpuProgram> read_network_c(const std::string& path) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  LOCKSTEP_TRY(const std::optional<NpuBlobText> blobs, blobs_beside(path, text));
  LOCKSTEP_TRY(NpuProgram program, parse_network_c(text, path, blobs ? &*blobs : nullptr));
  LOCKSTEP_CHECK(find_npu_images(program, std::filesystem::path(path).parent_path().string()));
  return program;
}

}  // namespace lockstep
