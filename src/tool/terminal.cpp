#include "tool/terminal.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace lockstep {
namespace {

bool shown = false;

}  // namespace

bool colour_wanted() {
  return isatty(1) && !std::getenv("NO_COLOR");
}

void show_progress(const std::string& what) {
  using Clock = std::chrono::steady_clock;
  static Clock::time_point last;
  if (!isatty(2) || Clock::now() - last < std::chrono::milliseconds(80)) return;
  last = Clock::now();
  std::fprintf(stderr, "\r\x1b[K%.100s", what.c_str());
  std::fflush(stderr);
  shown = true;
}

void end_progress() {
  if (shown) std::fprintf(stderr, "\r\x1b[K");
  shown = false;
}

}  // namespace lockstep
