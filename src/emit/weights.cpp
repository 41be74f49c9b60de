// Where a generated network's constants stand: arrays, or one run of bytes that is flashed apart.
#include <fmt/format.h>

#include "emit/work.h"

namespace lockstep {
namespace {

constexpr std::string_view blob_access = R"(/*
 * @bytes@ bytes of @name@_weights.bin, 16-byte aligned: at @NAME@_BLOB_ADDRESS where that is defined when @name@.c and
 * this file's are compiled, else at the symbol @name@_blob, for instance of .incbin.
 */
#ifdef @NAME@_BLOB_ADDRESS
#define @NAME@_BLOB ((const uint8_t *)(uintptr_t)@NAME@_BLOB_ADDRESS)
#else
extern const uint8_t @name@_blob[];
#define @NAME@_BLOB @name@_blob
#endif

)";

constexpr std::string_view check = R"text(#include "@name@.h"
#include "@name@_weights.h"

int @name@_check_weights(void) {
  /* Mark, version 1, bytes behind the header, hash of the model's file, hash of those bytes. */
  static const char header[] = "LSWB" "0001" "@size@" "@hash@" "@content@";
  static const char digits[] = "0123456789abcdef";
  const uint8_t *blob = @NAME@_BLOB;
  uint64_t hash = UINT64_C(14695981039346656037);
  uint32_t i;
  for (i = 0; i < 4; ++i)
    if (blob[i] != (uint8_t)header[i]) return 1;
  for (i = 4; i < 32; ++i)
    if (blob[i] != (uint8_t)header[i]) return 2;
  for (i = 0; i < @payload@u; ++i) hash = (hash ^ blob[@header@u + i]) * UINT64_C(1099511628211);
  for (i = 0; i < 16; ++i)
    if (digits[(hash >> (60 - 4 * i)) & 15u] != header[32 + i]) return 3;
  return 0;
}
)text";

std::string filled(std::string text, const GenerateWork& w) {
  const std::string& payload = w.constants.blob();
  const std::pair<std::string_view, std::string> words[] = {
      {"@name@", w.options.name},
      {"@NAME@", c_upper(w.options.name)},
      {"@bytes@", std::to_string(blob_header_bytes + payload.size())},
      {"@size@", fmt::format("{:08x}", payload.size())},
      {"@hash@", w.options.model_hash},
      {"@content@", content_hash(std::as_bytes(std::span(payload)))},
      {"@payload@", std::to_string(payload.size())},
      {"@header@", std::to_string(blob_header_bytes)},
  };
  for (const auto& [word, value] : words)
    for (std::size_t at = text.find(word); at != std::string::npos;
         at = text.find(word, at + value.size()))
      text.replace(at, word.size(), value);
  return text;
}

}  // namespace

std::string weights_header(const GenerateWork& w) {
  const std::string& name = w.options.name;
  const std::string guard = c_upper(name) + "_WEIGHTS_H";
  return "/* Constants of " + name + ".c. */\n#ifndef " + guard + "\n#define " + guard +
         "\n\n#include <stdint.h>\n\n" +
         (w.options.weights_apart ? filled(std::string(blob_access), w) : "") +
         w.constants.declarations() + "\n#endif\n";
}

std::string weights_source(const GenerateWork& w) {
  if (w.options.weights_apart) return filled(std::string(check), w);
  const std::string text = w.constants.definitions();
  const bool infinite = text.find("INFINITY") != std::string::npos;
  return "#include \"" + w.options.name + "_weights.h\"\n\n" +
         (infinite ? "#include <math.h>\n\n" : "") + text;
}

std::string weights_blob(const GenerateWork& w) {
  std::string header = filled("LSWB0001@size@@hash@@content@", w);
  header.resize(blob_header_bytes, '\0');
  return header + w.constants.blob();
}

}  // namespace lockstep
