#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/folders.h"
#include "support/programs.h"

namespace lockstep::test {

// The folder of real models and inputs: $LOCKSTEP_SHARED, else ../shared beside the checkout.
inline std::string shared_folder() {
  if (const char* named = std::getenv("LOCKSTEP_SHARED")) return named;
  return std::filesystem::path(source_folder()).parent_path() / "shared";
}

inline bool have_shared() {
  return std::filesystem::is_directory(shared_folder());
}

}  // namespace lockstep::test

// Skips (counted) where the real models are absent; fails under CI=true, where they must be.
#define LOCKSTEP_NEEDS_SHARED()                                                            \
  do {                                                                                     \
    if (!lockstep::test::have_shared())                                                    \
      LOCKSTEP_CANNOT_RUN("shared models are not at " << lockstep::test::shared_folder()); \
  } while (false)
