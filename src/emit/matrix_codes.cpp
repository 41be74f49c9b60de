// Products of float32 by weights in codes of 4 or 8 bits, scales by block, to C.
#include "emit/finish.h"
#include "num/real_functions.h"

namespace lockstep {
namespace {

struct Sizes {
  std::int64_t m, n, k, bits, block;
};
Sizes sizes_of(const NodeView& v) {
  const std::int64_t k = v.attrs().integer("K", 0);
  return {count_of(v.input(0).shape) / k, v.attrs().integer("N", 0), k,
          v.attrs().integer("bits", 4), v.attrs().integer("block_size", 0)};
}

// The order of N112; the bias starts the sum but of codes that the runtime keeps as they are.
void write_order(NodeWriter& w, const Sizes& s) {
  const Value& codes = w.view().input(1);
  const FloatPolicy& real = w.num().real;
  const bool doubles = !real.matrix || !real.functions || !real.functions->product_of_codes,
             stored = codes.constant && !codes.folded && s.bits == 4 && s.block <= 256;
  w.field("order", doubles    ? "LS_CODES_DOUBLE"
                   : s.m != 1 ? "LS_CODES_PIECES"
                   : stored   ? "LS_CODES_SIXTEENS"
                              : "LS_CODES_EIGHTS");
  w.field("piece", stored ? s.k : unpacked_block(s.n, s.k));
  w.field("from_bias", doubles || (!stored && s.m != 1) ? 1 : 0);
}

}  // namespace

NodeMemory matrix_codes_memory(const NodeView& v, const Numerics&) {
  return {v.attrs().integer("K", 0) * static_cast<std::int64_t>(sizeof(float)), {}};
}

Result<void> write_matrix_codes(NodeWriter& w) {
  const NodeView& v = w.view();
  const Sizes s = sizes_of(v);
  w.field("m", s.m), w.field("n", s.n), w.field("k", s.k);
  w.field("bits", s.bits), w.field("block", s.block);
  write_order(w, s);
  const auto given = [&](std::size_t i, const char* type) {
    return v.has_input(i) ? w.in(i, type) : std::string("NULL");
  };
  w.uses("ls_matrix_codes.c");
  w.line("ls_matrix_codes_f32(" + w.params("ls_matrix_codes") + ", " + w.in(0, "float") + ", " +
         w.in(1, "uint8_t") + ", " + w.in(2, "float") + ", " + given(3, "uint8_t") + ", " +
         given(4, "float") + ", " + w.out(0, "float") + ", " + w.scratch("float") + ");");
  return {};
}

}  // namespace lockstep
