#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "num/numerics.h"
#include "op/op.h"
#include "plan/live.h"
#include "run/executor.h"

namespace lockstep {

// What the C of single operators is written with.

// Constant arrays of the weights file, each with a name of its own; equal ones are written once.
// As a blob: places in one run of bytes, which the names stand for.
class ConstantPool {
 public:
  explicit ConstantPool(std::string prefix, bool as_blob = false)
      : prefix_(std::move(prefix)), as_blob_(as_blob) {}
  // Returns the array's name. `type` is the C type of an element; `wish` names what it is.
  std::string add(std::string_view type, std::span<const std::int64_t> elements,
                  const std::string& wish);
  std::string add(std::string_view type, std::span<const double> elements, const std::string& wish);
  std::string add_tensor(const Tensor& tensor, const std::string& wish);
  std::string declarations() const { return declarations_; }
  std::string definitions() const { return definitions_; }
  std::int64_t bytes() const { return bytes_; }
  const std::string& blob() const { return blob_; }

 private:
  std::string put(std::string_view type, std::size_t count, const std::string& body,
                  const std::string& bytes, const std::string& wish);
  std::string prefix_, declarations_, definitions_, blob_;
  bool as_blob_;
  std::map<std::string, std::string> known_;  // contents -> name
  std::set<std::string> names_;
  std::int64_t bytes_ = 0;
};

struct Layout;

// One node on its way to C.
class NodeWriter {
 public:
  NodeWriter(const Layout& layout, const Arithmetic& arithmetic, NodeId id, ConstantPool& constants,
             const Lives& lives, const MemoryPlan& plan);

  const NodeView& view() const { return view_; }
  const Numerics& num() const { return num_; }
  NodeId id() const { return id_; }
  const Layout& layout() const { return layout_; }
  bool same_bytes() const;                             // the output is the input, byte by byte
  const std::string& label() const { return label_; }  // "3_conv": for names of constants
  ConstantPool& constants() { return constants_; }

  // Pointer expressions, as `const TYPE *` or `TYPE *`; "void" takes every type.
  std::string in(std::size_t i, std::string_view type = "void");
  std::string out(std::size_t o, std::string_view type = "void");
  std::string scratch(std::string_view type = "int8_t");
  bool in_place(std::size_t o, std::size_t i) const;  // output and input stand in one place

  // Fields of a parameter structure, in order; `params` writes it and returns "&node_3".
  void field(const std::string& name, const std::string& value);
  void field(const std::string& name, std::int64_t value) { field(name, std::to_string(value)); }
  void array(const std::string& name, std::span<const std::int64_t> values);
  // `suffix` names one of several ("&node_3_filter"); without, they are numbered.
  std::string params(const std::string& type, const std::string& suffix = "");
  // A small structure on one line, with a suffix: "&node_3_filter".
  std::string constant_line(const std::string& type, const std::string& suffix,
                            const std::string& initializer);
  // One statement of the body, broken at commas where it is long.
  void line(const std::string& text);
  void uses(const std::string& runtime_file) { files_.insert(runtime_file); }
  // A function of the library that the user pointed to.
  void calls(const std::string& library_function) { library_.insert(library_function); }

  const std::string& statics() const { return statics_; }
  const std::string& body() const { return body_; }
  const std::set<std::string>& files() const { return files_; }
  const std::set<std::string>& library() const { return library_; }

  Error unsupported(const std::string& what) const;

 private:
  std::string pointer(ValueId v, std::string_view type, bool is_const);
  const Layout& layout_;
  const Arithmetic& arithmetic_;
  NodeView view_;
  const Numerics& num_;
  NodeId id_;
  std::string label_;
  ConstantPool& constants_;
  const Lives& lives_;
  const MemoryPlan& plan_;
  std::string statics_, body_, fields_;
  std::set<std::string> files_, library_;
  int structs_ = 0;
};

// C text of a number: every digit of a float, "INT32_MIN" where C has no literal.
std::string c_integer(std::int64_t v);
std::string c_float(float v);
std::string c_double(double v);
std::string c_identifier(std::string_view name);
// A place in a pool: "arena + 64".
std::string c_address(const std::string& pool, std::int64_t offset);

// How one operator becomes C. `memory` says what it asks of memory; `emit` writes parameters and
// call, or the error that names what it cannot.
struct NodeEmitter {
  std::string_view op;
  NodeMemory (*memory)(const NodeView& view, const Numerics& num) = nullptr;  // null: nothing
  Result<void> (*emit)(NodeWriter& w) = nullptr;
};

// One table for each family of operators, a file each.
std::span<const NodeEmitter> window_emitters();  // convolutions
std::span<const NodeEmitter> pool_emitters();
std::span<const NodeEmitter> matrix_emitters();       // Gemm, MatMul
std::span<const NodeEmitter> elementwise_emitters();  // functions of one element
std::span<const NodeEmitter> binary_emitters();
std::span<const NodeEmitter> any_emitters();     // codes of any type
std::span<const NodeEmitter> row_emitters();     // softmax, normalizations
std::span<const NodeEmitter> number_emitters();  // plain numbers: casts, choices, comparisons
std::span<const NodeEmitter> order_emitters();   // greatest elements, running sums
std::span<const NodeEmitter> resize_emitters();
std::span<const NodeEmitter> state_emitters();     // recurrent layers
std::span<const NodeEmitter> sequence_emitters();  // TFLite's LSTM
std::span<const NodeEmitter> move_emitters();      // what moves elements
std::span<const NodeEmitter> index_emitters();     // by indices that are computed
std::span<const NodeEmitter> detect_emitters();    // boxes that stay
std::span<const NodeEmitter> join_emitters();      // tensors side by side
std::span<const NodeEmitter> reduce_emitters();    // means and maxima over axes
std::span<const NodeEmitter> real_emitters();      // on float32 alone
std::span<const NodeEmitter> convert_emitters();   // between reals and codes
const NodeEmitter* find_emitter(std::string_view op);

}  // namespace lockstep
