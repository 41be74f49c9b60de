#include <cctype>
#include <map>

#include "diff/pair.h"

namespace lockstep {

namespace {

// A note without its shapes and numbers: what was done, not to which tensor.
std::string kind_of(const std::string& note) {
  std::string kind;
  int depth = 0;
  for (const char c : note) {
    depth += c == '[';
    if (depth == 0 && !std::isdigit(static_cast<unsigned char>(c))) kind += c;
    depth -= c == ']';
  }
  return kind;
}

// The first of those alike, and how many more there are.
class Alike {
 public:
  void add(const std::string& kind, const std::string& text) {
    auto [it, is_new] = counts_.emplace(kind, 0);
    if (is_new) firsts_.emplace_back(kind, text);
    ++it->second;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& [kind, text] : firsts_) {
      const int more = counts_.at(kind) - 1;
      out.push_back(text + (more > 0 ? ", and " + std::to_string(more) + " more alike" : ""));
    }
    return out;
  }

 private:
  std::map<std::string, int> counts_;
  std::vector<std::pair<std::string, std::string>> firsts_;
};

// A note without the names in quotes.
std::string without_names(const std::string& note) {
  std::string kind;
  bool quoted = false;
  for (const char c : note)
    if (c == '\'')
      quoted = !quoted;
    else if (!quoted)
      kind += c;
  return kind;
}

}  // namespace

std::vector<std::string> folded_notes(const std::vector<std::string>& notes) {
  Alike alike;
  for (const std::string& note : notes) {
    const bool whole = note.find('\'') == note.npos || note.ends_with(" more alike");
    alike.add(whole ? note : kind_of(without_names(note)), note);
  }
  return alike.lines();
}

std::vector<std::string> pairing_notes(const Pairing& pairing) {
  Alike alike;
  for (const Pair& pair : pairing.pairs)
    if (pair.how != "name")
      alike.add(pair.how,
                "'" + pair.device + "' is '" + pair.reference + "' (by " + pair.how + ")");
  for (const Pair& pair : pairing.pairs)
    if (!pair.note.empty()) alike.add(kind_of(pair.note), "'" + pair.device + "': " + pair.note);
  std::vector<std::string> out = alike.lines();
  out.insert(out.end(), pairing.notes.begin(), pairing.notes.end());
  return out;
}

}  // namespace lockstep
