// The arithmetics that a session is asked for, or judges by.
#include "base/text.h"
#include "diagnose/session.h"

namespace lockstep {

Result<const Arithmetic*> arithmetic_for(const std::string& name, const std::string& format,
                                         const std::string& option) {
  const std::string wish = name.empty() ? std::string(default_arithmetic(format)) : name;
  if (const Arithmetic* a = find_arithmetic(wish)) return a;
  std::vector<std::string> names;
  for (const Arithmetic* a : arith_table()) names.emplace_back(a->name);
  const std::string near = nearest(wish, names);
  return Error{option + " " + wish, "no such arithmetic", join(names, ", "),
               near.empty() ? "" : "did you mean '" + near + "'?"};
}

std::vector<Executor> other_arithmetics(const Graph& model, const Arithmetic& reference) {
  std::vector<Executor> others;
  for (const Arithmetic* a : arith_table()) {
    if (a == &reference) continue;
    if (a->numerics->pairs_saturate) continue;  // the defect of a processor acquits no device
    if (auto made = Executor::make(model, *a); made.ok()) others.push_back(std::move(*made));
  }
  return others;
}

}  // namespace lockstep
