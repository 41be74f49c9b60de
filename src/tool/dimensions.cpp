#include <CLI/CLI.hpp>
#include <charconv>

#include "tool/command.h"

namespace lockstep {

void add_dimensions(CLI::App& command, std::map<std::string, std::int64_t>& dimensions) {
  const auto take = [&dimensions](const std::vector<std::string>& given) {
    for (const std::string& text : given) {
      const auto equals = text.rfind('=');
      std::int64_t n = 0;
      const char* end = text.data() + text.size();
      const bool number = equals != text.npos && equals > 0 &&
                          std::from_chars(text.data() + equals + 1, end, n).ptr == end;
      if (!number || n < 1 || n > (std::int64_t{1} << 31))
        throw CLI::ValidationError("--dim " + text, "want NAME=N with N of at least 1");
      dimensions[text.substr(0, equals)] = n;
    }
    return true;
  };
  command
      .add_option("--dim", take,
                  "NAME=N: extent of a dimension that the model leaves open, or INPUT[AXIS]=N")
      ->take_all()
      ->type_name("NAME=N");
}

}  // namespace lockstep
