#include "base/error.h"

namespace lockstep {

std::string Error::line() const {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!want.empty()) text += "; want " + want;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

std::string Error::block() const {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!want.empty()) text += "\n  want  " + want;
  if (!hint.empty()) text += "\n  hint  " + hint;
  return text;
}

}  // namespace lockstep
