#pragma once

#include <optional>
#include <span>

#include "base/error.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace lockstep {

// What is wrong with a command line: the first word that is no command and the first option that is
// none, each with the nearest one; a missing command, argument or option; else what the parser
// says.
Error bad_request(const CLI::App& app, const CLI::ParseError& failure,
                  std::span<char* const> words);

// The first word that is no command or option, if there is one.
std::optional<Error> wrong_word(const CLI::App& app, std::span<char* const> words);

}  // namespace lockstep
