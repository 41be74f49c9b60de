#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "npu/program.h"

namespace lockstep {

// A program of the epoch controller: the words behind its two header words.
struct EcBlob {
  std::string name;
  std::vector<std::uint32_t> words;
  std::vector<std::pair<std::string, std::vector<std::uint32_t>>>
      relocations;  // name, places in `words`
};

// Every blob of a generated *_ecblobs.h, in the order of the file. Errors: text that ends inside an
// array, sizes that do not fit, a magic number that is not known.
Result<std::vector<EcBlob>> parse_ec_blobs(std::string_view text, const std::string& file);
// One blob from the bytes of its array (plain or relocatable).
Result<EcBlob> ec_blob_from(std::vector<std::uint32_t> words, std::string name,
                            const std::string& file);

// "_ec_blob_1" of "_ec_blob_1_address", "_ec_blob_1_ptr" and "_ec_blob_1_reloc", which stand for
// it.
std::string ec_blob_stem(std::string_view name);

// What a blob does: the epochs that it starts, as units and links, and the constants that it writes
// into units as images. Errors: unknown instructions, fields at values whose effect is not known.
struct EcEpochs {
  std::vector<NpuEpoch> epochs;
  std::vector<NpuImage> images;
};
Result<EcEpochs> decode_ec_blob(const EcBlob& blob, const std::string& file);

// Writes the hardware epochs of a program as one header of blobs, one for each run of hardware
// epochs. Errors: a unit that the form cannot hold.
struct EcText {
  std::string header;                              // *_ecblobs.h
  std::vector<std::pair<int, std::string>> blobs;  // first epoch, array name
};
Result<EcText> format_ec_blobs(const NpuProgram& program);

}  // namespace lockstep
