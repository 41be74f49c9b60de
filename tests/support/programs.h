#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>

namespace lockstep::test {

// CI=true: everything that a test needs must be there.
inline bool in_ci() {
  const char* const ci = std::getenv("CI");
  return ci && std::string(ci) == "true";
}

// Whether the first word of a command can be run here.
inline bool have(const std::string& command) {
  return std::system(
             ("command -v " + command.substr(0, command.find(' ')) + " >/dev/null 2>&1").c_str()) ==
         0;
}

// The first that cannot be run here, or "".
inline std::string missing_of(std::initializer_list<const char*> programs) {
  for (const char* const program : programs)
    if (!have(program)) return program;
  return "";
}

}  // namespace lockstep::test

// Skips (counted) with the reason; fails under CI=true.
#define LOCKSTEP_CANNOT_RUN(why)                \
  do {                                          \
    if (lockstep::test::in_ci()) FAIL() << why; \
    GTEST_SKIP() << why;                        \
  } while (false)

// Skips (counted) where one of the programs is not installed; fails under CI=true.
#define LOCKSTEP_NEEDS_PROGRAMS(...)                                               \
  do {                                                                             \
    const std::string missing = lockstep::test::missing_of({__VA_ARGS__});         \
    if (!missing.empty())                                                          \
      LOCKSTEP_CANNOT_RUN(missing << " is not installed (scripts/setup oracles)"); \
  } while (false)

// The emulated Cortex-M55 and its compiler.
#define LOCKSTEP_NEEDS_THE_BOARD() LOCKSTEP_NEEDS_PROGRAMS("qemu-system-arm", "arm-none-eabi-gcc")
