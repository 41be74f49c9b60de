#include "link/preflight.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "link/device.h"
#include "link/elf.h"
#include "link/gdb.h"
#include "target/target_places.h"
#include "tool/command.h"
#include "tool/terminal.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

struct PreflightOptions {
  std::string target, net, elf, run, json;
  std::vector<std::string> contents;  // FILE@ADDRESS
  bool all = false;
};

// The board's memory, however it is reached, and what it says of itself.
struct Board {
  std::unique_ptr<Gdb> gdb;
  std::unique_ptr<Device> device;
  ReadMemory read;
  SumMemory sum;
  bool memory = true;

  ~Board() {
    if (gdb) gdb->detach();
  }
};

Result<std::unique_ptr<Board>> open_board_memory(const std::string& uri) {
  auto board = std::make_unique<Board>();
  const std::vector<std::string> parts = split(uri, ',');
  if (parts[0].starts_with("gdb:")) {
    LOCKSTEP_TRY(auto stream, open_stream("tcp:" + parts[0].substr(4)));
    LOCKSTEP_TRY(Gdb gdb, Gdb::connect(std::move(stream)));
    board->gdb = std::make_unique<Gdb>(std::move(gdb));
    board->read = [g = board->gdb.get()](std::uint32_t address, std::uint32_t size) {
      return g->read(address, size);
    };
    return board;
  }
  LOCKSTEP_TRY(auto stream, open_stream(parts[0]));
  LOCKSTEP_TRY(Device device, Device::connect(std::move(stream)));
  board->memory = device.info().can(Capability::read_write);
  board->device = std::make_unique<Device>(std::move(device));
  board->read = [d = board->device.get()](std::uint32_t address, std::uint32_t size) {
    auto read = d->read_memory(address, size);
    if (!read.ok() && !d->refused()) (void)d->recover();
    return read;
  };
  board->sum = [d = board->device.get()](std::uint32_t address, std::uint32_t size) {
    auto sum = d->checksum(address, size);
    if (!sum.ok() && !d->refused()) (void)d->recover();
    return sum;
  };
  return board;
}

// What net= and elf= of a gdb: target say counts where no option says more.
void take_from_uri(PreflightOptions& o) {
  for (const std::string& part : split(o.target, ',')) {
    if (part.starts_with("net=") && o.net.empty()) o.net = part.substr(4);
    if (part.starts_with("elf=") && o.elf.empty()) o.elf = part.substr(4);
    if (part.starts_with("run=") && o.run.empty()) o.run = part.substr(4);
  }
}

void add_tensors(const std::vector<DeviceTensor>& tensors, bool input,
                 std::vector<UsedMemory>& used) {
  for (const DeviceTensor& t : tensors)
    if (t.address != 0 && t.bytes() > 0)
      used.push_back({t.name, t.address, static_cast<std::uint32_t>(t.bytes()), input});
}

Result<std::vector<UsedMemory>> used_memory(const PreflightOptions& o, const Board& board) {
  std::vector<UsedMemory> used;
  if (!o.net.empty()) {
    if (o.elf.empty())
      return Error{"--net " + o.net, "says where tensors stand by symbols",
                   "--elf with the firmware's ELF file", ""};
    LOCKSTEP_TRY(const PlacedNetwork network, place_network(o.net, o.elf, o.run));
    add_tensors(network.inputs, true, used);
    for (const PlacedNode& node : network.nodes) add_tensors(node.outputs, false, used);
  } else if (board.device) {
    for (const DeviceNetwork& n : board.device->info().networks) {
      add_tensors(n.inputs, true, used);
      add_tensors(n.outputs, false, used);
    }
  }
  return used;
}

Result<void> compare_contents(const PreflightOptions& o, const Board& board,
                              std::vector<PreflightAnswer>& answers) {
  for (const std::string& item : o.contents) {
    const std::size_t at = item.rfind('@');
    std::uint32_t address = 0;
    const char* const end = item.data() + item.size();
    std::size_t digits = at == std::string::npos ? item.size() : at + 1;
    if (item.compare(digits, 2, "0x") == 0) digits += 2;
    const auto parsed = std::from_chars(item.data() + digits, end, address, 16);
    if (at == std::string::npos || at == 0 || parsed.ec != std::errc() || parsed.ptr != end)
      return Error{"--contents " + item, "is no file and address",
                   "FILE@ADDRESS, the address in hexadecimal",
                   "for instance network_weights.bin@0x70380000"};
    LOCKSTEP_TRY(const Bytes bytes, read_file(item.substr(0, at)));
    show_progress("comparing " + item);
    answers.push_back(ask_contents(board.read, item.substr(0, at), address, bytes, board.sum));
  }
  if (o.elf.empty()) return {};
  LOCKSTEP_TRY(const std::vector<ElfSegment> segments, read_elf_segments(o.elf));
  for (const ElfSegment& s : segments) {
    if (s.writable) continue;
    show_progress(fmt::format("comparing {} bytes of {}", s.bytes.size(), o.elf));
    answers.push_back(ask_contents(board.read, "code and constants of the firmware", s.address,
                                   s.bytes, board.sum));
  }
  return {};
}

// What was found without the address at which it was.
std::string without_address(const std::string& found) {
  std::string text = found;
  for (std::size_t at = text.find("0x"); at != text.npos; at = text.find("0x", at))
    text.erase(at, std::min(text.find_first_not_of("0123456789abcdef", at + 2), text.size()) - at);
  return text;
}

void print_one(const PreflightAnswer& a, bool source) {
  fmt::print("{:8} {:32} {}\n", name_of(a.kind), a.subject, a.found);
  if (!a.consequence.empty()) fmt::print("         consequence  {}\n", a.consequence);
  if (!a.advice.empty()) fmt::print("         do           {}\n", a.advice);
  if (source) fmt::print("         source       {}\n", a.source);
}

// Registers that cannot be read for one reason are one answer, unless every source is asked for.
void print(const std::vector<PreflightAnswer>& answers, bool all) {
  std::map<std::string, std::vector<const PreflightAnswer*>> unknown;
  const auto reason = [](const PreflightAnswer& a) {
    return without_address(a.found) + "\n" + a.consequence + "\n" + a.advice;
  };
  for (const PreflightAnswer& a : answers)
    if (a.kind == Kind::unknown && !all) unknown[reason(a)].push_back(&a);
  for (const PreflightAnswer& a : answers) {
    if (a.kind == Kind::fine && !all) continue;
    if (a.kind == Kind::unknown && !all) {
      const auto& alike = unknown[reason(a)];
      if (alike[0] != &a) continue;
      PreflightAnswer one = a;
      for (std::size_t i = 1; i < alike.size(); ++i) one.subject += ", " + alike[i]->subject;
      if (alike.size() > 1)
        one.found = (one.subject.size() > 32 ? "\n         " : "") + one.found +
                    fmt::format(" (the first of {})", alike.size());
      print_one(one, false);
      continue;
    }
    print_one(a, all || a.kind == Kind::error);
  }
}

Result<void> write_json(const std::string& path, const PreflightOptions& o,
                        const std::vector<PreflightAnswer>& answers) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const PreflightAnswer& a : answers)
    list.push_back({{"kind", std::string(name_of(a.kind))},
                    {"subject", a.subject},
                    {"found", a.found},
                    {"consequence", a.consequence},
                    {"do", a.advice},
                    {"source", a.source}});
  return write_file(path, std::string_view(nlohmann::ordered_json{{"format", "lockstep-preflight"},
                                                                  {"version", 1},
                                                                  {"target", o.target},
                                                                  {"answers", list}}
                                               .dump(1) +
                                           "\n"));
}

// Over the validation protocol; nothing under a debugger.
Result<std::vector<PreflightAnswer>> what_the_device_says(const PreflightOptions& o,
                                                          const Board& board) {
  if (!board.device) return std::vector<PreflightAnswer>{};
  std::vector<PreflightAnswer> answers = ask_device(board.device->info());
  if (o.net.empty() || o.elf.empty()) return answers;
  LOCKSTEP_TRY(const PlacedNetwork network, place_network(o.net, o.elf, o.run));
  for (PreflightAnswer& a :
       ask_networks(board.device->info(), network.inputs, network.outputs, network.model_hash))
    answers.push_back(std::move(a));
  return answers;
}

Result<int> preflight(PreflightOptions o) {
  take_from_uri(o);
  LOCKSTEP_TRY(const auto board, open_board_memory(o.target));
  LOCKSTEP_TRY(const std::vector<UsedMemory> used, used_memory(o, *board));
  LOCKSTEP_TRY(std::vector<PreflightAnswer> answers, what_the_device_says(o, *board));
  const auto registers =
      board->memory
          ? ask_stm32n6(board->read, used)
          : std::vector<PreflightAnswer>{
                {Kind::unknown, "registers and memory", "this firmware gives no access to memory",
                 "", "gdb:HOST:PORT, or Lockstep's agent on the board", "its capability bits"}};
  answers.insert(answers.end(), registers.begin(), registers.end());
  for (PreflightAnswer& a : ask_placement_stm32n6(used)) answers.push_back(std::move(a));
  if (board->memory) LOCKSTEP_CHECK(compare_contents(o, *board, answers));
  end_progress();
  if (board->device) fmt::print("device    {}\n", board->device->info().text());
  print(answers, o.all);
  int counts[5] = {};
  for (const PreflightAnswer& a : answers) ++counts[static_cast<int>(a.kind)];
  fmt::print("{} asked: {} errors, {} warnings, {} notes, {} unknown, {} fine\n", answers.size(),
             counts[3], counts[2], counts[1], counts[4], counts[0]);
  if (!o.json.empty()) LOCKSTEP_CHECK(write_json(o.json, o, answers));
  const int unknown = counts[static_cast<int>(Kind::unknown)];
  if (unknown > 0 &&
      ((board->gdb && board->gdb->lost()) || static_cast<std::size_t>(unknown) == answers.size()))
    return link_error(o.target, fmt::format("{} of {} could not be asked", unknown, answers.size()),
                      "a board that answers",
                      "is it an STM32N6, halted, with debugging of the secure state allowed?");
  return counts[3] > 0 ? 1 : 0;
}

}  // namespace

void add_preflight(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("preflight",
                                     "what a board (STM32N6) is asked before numbers are compared");
  auto o = std::make_shared<PreflightOptions>();
  command
      ->add_option("--target", o->target,
                   "gdb:HOST:PORT, or serial:PORT:BAUD or tcp:HOST:PORT with Lockstep's agent")
      ->required();
  command->add_option(
      "--net", o->net,
      "network.json of generate, or ST's c_info.json: which memory the network uses");
  command->add_option(
      "--elf", o->elf,
      "the firmware's ELF file: symbols, and code and constants to compare with the board's");
  command
      ->add_option("--contents", o->contents,
                   "FILE@ADDRESS: bytes that must stand there, for instance weights in flash")
      ->take_all();
  command->add_option("--json", o->json, "writes the answers");
  command->add_flag("--all", o->all, "prints what is fine too, and every source");
  command->callback([o, &code] {
    const Result<int> done = preflight(*o);
    end_progress();
    code = done.ok() ? *done : fail(done.error());
  });
}

}  // namespace lockstep
