// Which files of CMSIS-NN a network needs: a walk from the functions that it calls.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "emit/library.h"

namespace lockstep {
namespace fs = std::filesystem;

namespace {

// The text without comments, strings and preprocessor lines.
std::string bare(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("/*")) {
      const std::size_t end = text.find("*/", i + 2);
      i = end == std::string_view::npos ? text.size() : end + 2;
      out += ' ';
    } else if (rest.starts_with("//")) {
      i = std::min(text.find('\n', i), text.size());
    } else if (line_start && text[i] == '#') {
      while (i < text.size() && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
    } else if (text[i] == '"' || text[i] == '\'') {
      const char quote = text[i++];
      while (i < text.size() && text[i] != quote) i += text[i] == '\\' ? 2 : 1;
      ++i;
    } else {
      line_start =
          text[i] == '\n' || (line_start && std::isspace(static_cast<unsigned char>(text[i])));
      out += text[i++];
    }
  }
  return out;
}

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

CNames c_names(std::string_view whole) {
  const std::string text = bare(whole);
  CNames names;
  int braces = 0, parentheses = 0;
  std::string last, candidate;  // the name before the last opening bracket at the outermost level
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_name(c)) {
      std::size_t end = i;
      while (end < text.size() && in_name(text[end])) ++end;
      last = text.substr(i, end - i);
      if (!std::isdigit(static_cast<unsigned char>(c))) names.mentioned.insert(last);
      i = end;
      continue;
    }
    if (braces == 0 && parentheses == 0 && (c == '(' || c == '[') && candidate.empty())
      candidate = last;
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (c == '{' && braces++ == 0 && !candidate.empty()) names.defined.insert(candidate);
    if (c == '}') --braces;
    if (braces == 0 && parentheses == 0 && (c == ';' || c == '}')) candidate.clear();
    ++i;
  }
  return names;
}

Result<std::vector<std::string>> library_sources(const std::string& folder,
                                                 const std::set<std::string>& functions) {
  std::map<std::string, CNames> files;
  std::error_code failure;
  const fs::path source = fs::path(folder) / "Source";
  for (auto it = fs::recursive_directory_iterator(source, failure);
       !failure && it != fs::recursive_directory_iterator(); it.increment(failure)) {
    const std::string stem = it->path().stem();
    if (it->path().extension() != ".c" || stem.ends_with("f16") || stem.ends_with("f32") ||
        stem.ends_with("flt"))
      continue;
    LOCKSTEP_TRY(const Bytes bytes, read_file(it->path(), std::uint64_t{1} << 24));
    files[fs::relative(it->path(), folder)] =
        c_names({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  if (failure || files.empty())
    return Error{"--cmsis-nn " + folder, "no C files under Source", "a checkout of CMSIS-NN", ""};
  std::map<std::string, std::string> home;
  for (const auto& [path, names] : files)
    for (const std::string& name : names.defined) home.emplace(name, path);
  std::set<std::string> needed;
  std::vector<std::string> open(functions.begin(), functions.end());
  for (const std::string& f : functions)
    if (!home.contains(f))
      return Error{"--cmsis-nn " + folder, "no file under Source defines " + f,
                   "CMSIS-NN 7.0 or a later one with the same interface", ""};
  while (!open.empty()) {
    const auto at = home.find(open.back());
    open.pop_back();
    if (at == home.end() || !needed.insert(at->second).second) continue;
    const CNames& names = files[at->second];
    open.insert(open.end(), names.mentioned.begin(), names.mentioned.end());
  }
  return std::vector<std::string>(needed.begin(), needed.end());
}

}  // namespace lockstep
