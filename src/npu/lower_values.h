#pragma once

#include <map>
#include <string>

#include "npu/lower_draft.h"
#include "op/op.h"

namespace lockstep {

// Which buffer holds a tensor, and how it lies there.
struct NpuHeld {
  int buffer = -1;
  bool zero_off = false;    // codes less their zero point -128, unsigned: what convolutions take
  bool file_order = false;  // as the file has it; else rows, columns, channels
};

// Rows, columns and channels of a tensor; other ranks are one row of pixels.
struct NpuExtents {
  std::int64_t rows = 1, columns = 1, channels = 1;
  std::int64_t count() const { return rows * columns * channels; }
};

// The tensors of a graph that is being lowered.
class NpuValues {
 public:
  NpuValues(const Graph& graph, NpuDraft& draft) : graph_(graph), draft_(draft) {}

  const Graph& graph() const { return graph_; }
  NpuDraft& draft() { return draft_; }

  NpuExtents extents(ValueId v) const { return extents_of(graph_.value(v).shape); }
  NpuExtents extents_of(const Shape& shape) const;
  static std::int64_t offset(const Value& v);  // of the file's codes to the int8 codes in memory
  static std::int64_t zero(const Value& v) { return v.quant.zero_at(0) - offset(v); }

  // A new buffer for a tensor that the current epoch makes.
  int make(ValueId v, bool file_order = false);
  void alias(ValueId v,
             const NpuHeld& of);  // the same bytes, in the file's order, under another shape
  // A map with zeros around it, for convolutions alone.
  void pad(ValueId v, ValueId of, std::int64_t top, std::int64_t left);
  struct Padded {
    ValueId of = no_id;
    std::int64_t top = 0, left = 0;
  };
  Padded padded(ValueId v) const;  // {v, 0, 0} where nothing is padded
  bool has(ValueId v) const { return held_.contains(v) || padded_.contains(v); }
  bool in_memory(ValueId v) const { return held_.contains(v); }  // not padding to come
  const NpuHeld& held(ValueId v) const { return held_.at(v); }
  // In the order asked for; an epoch of its own copies where the other was there.
  NpuHeld in_channels_last(ValueId v);
  NpuHeld in_file_order(ValueId v);

  // Its buffer gets its name and is kept until the end. Errors: it holds another output, or an
  // input, too.
  Result<void> name_output(ValueId v);

  // Whether only convolutions read it, from codes that begin at -128.
  bool wants_zero_off(ValueId v) const;

 private:
  bool orders_agree(ValueId v) const;
  int copy(ValueId v, bool file_order);
  NpuBuffer described(ValueId v, bool file_order) const;

  const Graph& graph_;
  NpuDraft& draft_;
  std::map<ValueId, NpuHeld> held_;
  std::map<ValueId, NpuHeld> copies_;
  std::map<ValueId, Padded> padded_;
  std::map<int, ValueId> named_;  // outputs by buffer
};

// The units behind the one that yields a tensor's codes, and the engine that writes it.
void npu_write(NpuValues& values, NpuUnitId from, ValueId y, const std::string& node,
               const NpuWalk& walk, const NpuExtents& frame);

// A map in one frame, and an arithmetic unit with single coefficients over it.
NpuWalk npu_whole(const NpuExtents& extents);
NpuFields npu_scalar_fields(const NpuExtents& extents, int in_bytes);

// Operations, each in epochs of its own.
Result<void> lower_product(const Node& node, NpuValues& values);
Result<void> lower_pair(const Node& node, NpuValues& values);
Result<void> lower_pool(const Node& node, NpuValues& values);
Result<void> lower_requantize(const Node& node, NpuValues& values);
Result<void> lower_concat(const Node& node, NpuValues& values);
Result<void> lower_pad(const Node& node, NpuValues& values);
Result<void> lower_shape(const Node& node, NpuValues& values);
Result<void> lower_parts(const Node& node, NpuValues& values);
Result<void> lower_on_cpu(const Node& node, NpuValues& values);

Error no_npu_form(const Graph& graph, const Node& node, std::string what, std::string want);

}  // namespace lockstep
