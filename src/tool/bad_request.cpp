#include "tool/bad_request.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace lockstep {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// "lockstep npu fit" of the command `app`.
std::string path_of(const CLI::App& app) {
  return (app.get_parent() ? path_of(*app.get_parent()) + " " : "") + app.get_name();
}

std::string did_you_mean(const std::string& near, const std::string& otherwise) {
  return near.empty() ? otherwise : "did you mean '" + near + "'?";
}

Error no_command(const CLI::App& at, const std::string& word) {
  const std::vector<std::string> names = commands_of(at);
  const std::string path = path_of(at), help = path + " --help";
  return {path + " " + word, "no such command", join(names, ", "),
          word == "help" ? help : did_you_mean(nearest(word, names), help)};
}

// A command's own options and those of the commands above it.
const CLI::Option* option_named(const CLI::App& at, const std::string& name) {
  const CLI::Option* own = at.get_option_no_throw(name);
  return own || !at.get_parent() ? own : option_named(*at.get_parent(), name);
}

void add_names(const CLI::App& at, std::vector<std::string>& names) {
  for (const CLI::Option* option : at.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  if (at.get_parent()) add_names(*at.get_parent(), names);
}

Error no_option(const CLI::App& at, const std::string& name) {
  std::vector<std::string> names;
  add_names(at, names);
  const std::string help = path_of(at) + " --help";
  return {path_of(at), "no option '" + name + "'", "an option of `" + help + "`",
          did_you_mean(nearest(name, names), "")};
}

bool looks_like_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         (word[1] == '-' || std::isalpha(static_cast<unsigned char>(word[1])));
}

// The command that the words lead to, and the first of them that is neither a command nor an
// option.
struct Walk {
  const CLI::App* at;
  std::optional<Error> wrong;
};

Walk walk(const CLI::App& app, std::span<char* const> words) {
  const CLI::App* at = &app;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string word = words[i];
    if (word == "--") break;
    if (looks_like_option(word)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const CLI::Option* option = option_named(*at, name[1] == '-' ? name : name.substr(0, 2));
      if (!option) return {at, no_option(*at, name)};
      const bool value_follows = option->get_expected_max() > 0 && equals == word.npos &&
                                 (name[1] == '-' || word.size() == 2);
      if (value_follows) ++i;
    } else if (!commands_of(*at).empty()) {
      const auto below = at->get_subcommands({});
      const auto next = std::ranges::find(below, word, &CLI::App::get_name);
      if (next == below.end()) return {at, no_command(*at, word)};
      at = *next;
    }
  }
  return {at, std::nullopt};
}

}  // namespace

std::optional<Error> wrong_word(const CLI::App& app, std::span<char* const> words) {
  return walk(app, words).wrong;
}

Error bad_request(const CLI::App& app, const CLI::ParseError& failure,
                  std::span<char* const> words) {
  auto [at, wrong] = walk(app, words);
  if (wrong) return std::move(*wrong);
  const std::string path = path_of(*at), help = path + " --help";
  if (!commands_of(*at).empty())
    return {path, "no command given", "one of " + join(commands_of(*at), ", "), help};
  std::string what = failure.what();
  for (char& c : what)
    if (c == '\n') c = ' ';
  // An argument goes by its place, not by the option that may stand for it.
  for (const CLI::Option* option : at->get_options())
    if (const std::string place = option->get_positional() ? option->get_name(true) : "";
        !place.empty() && !option->get_lnames().empty())
      if (const std::string name = "--" + option->get_lnames()[0] + " "; what.starts_with(name))
        what = place + " " + what.substr(name.size());
  return {path, what, "", help};
}

}  // namespace lockstep
