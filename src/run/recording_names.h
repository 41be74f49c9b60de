#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace lockstep {

// "%2F" -> "/": how a tool may keep a tensor's name in the name of a file or of an array.
std::string unescape(const std::string& name);

// ST's names for what goes in and out: "c_outputs_1", also behind "NAME_val_" or "NAME_". c is the
// device (or the compiled model on the PC), m the original model.
struct StPort {
  bool device = false, output = false;
  std::size_t index = 0;
};
std::optional<StPort> st_port(const std::string& name);

// Which tensor of a model a recorded name means.
class ModelNames {
 public:
  explicit ModelNames(const Graph& model);
  // The tensor of that very name, else the only one that reads alike but for escapes, punctuation
  // and case, else as abridged() says; no_id: none.
  ValueId find(const std::string& name) const;
  // The only computed tensor that a shortened name can mean: one part of a name that a converter
  // joined with ";", the name of the node that makes it (CONV_2D_3 in TFLite), or the long
  // beginning of a name that was cut off.
  ValueId abridged(const std::string& name) const;
  ValueId at(const StPort& port) const;
  // The tensor that `name` means either way.
  ValueId meant(const std::string& name) const;

 private:
  const Graph& model_;
  std::map<std::string, ValueId> plain_, first_parts_, parts_;
};

}  // namespace lockstep
