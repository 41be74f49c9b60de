#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "npu/c_text.h"
#include "npu/network_c.h"

namespace lockstep {

// Walks through the tokens of a generated network.c once: declarations are kept by name, functions
// of epochs collect units, links, calls and tables; blobs and buffer tables are joined in at the
// end.
class NetworkReader {
 public:
  NetworkReader(std::vector<CToken> tokens, std::string file, const NpuBlobText* blobs,
                CSymbols symbols);
  Result<NpuProgram> read();

 private:
  using Is = CToken::Is;
  using Arguments = std::vector<std::vector<CToken>>;
  struct Declaration {
    std::string type;
    CValue value;
    bool array = false, local = false;  // local: inside an epoch's function
  };

  // network_c_comments.cpp: nodes, the compiler, memories
  void comment(std::string_view text);
  void pool(std::string_view text);

  // network_c_reader.cpp: text, declarations, functions
  Result<void> step();
  bool declares() const;
  Result<void> declaration();
  Result<void> function();
  Result<void> call();
  Result<void> call_of(NpuEpoch& e, const std::string& name, const Arguments& arguments,
                       std::size_t at);
  void place(const std::string& symbol);
  std::string source_of(std::vector<CToken> expression) const;

  // network_c_tables.cpp: constants of software operations
  void keep_table(NpuEpoch& e, const std::string& name, const Declaration& d);
  Result<NpuTable> table_of(const std::string& name, const Declaration& d);
  Result<NpuFields> fields_of(const CValue& v, const std::string& at);

  // network_c_units.cpp: structures of units, the switch, blobs, buffers
  Result<void> unit(NpuEpoch& e, NpuKind kind, const Arguments& arguments, std::size_t at);
  Result<NpuPort> port(const CValue& v, std::size_t at) const;
  Result<NpuLink> link(const CValue& row, const std::string& table, std::size_t at);
  Result<void> links(NpuEpoch& e, const Arguments& arguments, std::size_t at);
  Result<std::vector<std::string>> wanted_blobs(bool& any);
  bool must_decrypt(std::span<const CToken> flags) const;
  Result<void> blocks();
  Result<void> join_blob(struct EcBlob blob);
  Result<void> buffers();
  void place_user_buffers();
  Result<std::vector<NpuField>> list_of(std::string_view table) const;

  std::string where(std::size_t at) const;
  bool is(std::size_t at, std::string_view text) const;
  std::size_t behind_comments(std::size_t at) const;
  std::size_t behind_attribute(std::size_t at) const;
  NpuEpoch* epoch() { return current_ < 0 ? nullptr : &epochs_[current_]; }

  std::vector<CToken> t_;
  const NpuBlobText* blobs_ = nullptr;
  std::size_t at_ = 0;
  int depth_ = 0, current_ = -1;
  NpuProgram program_;
  CSymbols symbols_;
  std::map<std::string, std::uint64_t> placed_;  // memories that the application gives, by symbol
  std::map<int, NpuEpoch> epochs_;
  std::map<std::string, Declaration, std::less<>> declared_;
  std::vector<std::pair<std::string, Declaration>> buffer_tables_;  // several have one name
};

}  // namespace lockstep
