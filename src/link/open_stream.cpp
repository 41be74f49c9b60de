#include <charconv>

#include "base/text.h"
#include "link/byte_stream.h"

namespace lockstep {
namespace {

bool to_number(std::string_view text, int& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

// Items apart by ':', in any order: a number is the rate, anything else the port, as ST's tools
// take it.
Result<std::unique_ptr<ByteStream>> serial_of(const std::string& uri, std::string_view rest) {
  std::string path;
  int baud = 115200;
  for (const std::string& item : split(rest, ':')) {
    int number = 0;
    if (item.empty()) continue;
    if (to_number(item, number))
      baud = number;
    else if (path.empty())
      path = item;
    else
      return Error{uri, "names two ports, '" + path + "' and '" + item + "'", "serial:PORT[:BAUD]",
                   ""};
  }
  if (path.empty())
    return Error{uri, "names no port", "serial:PORT[:BAUD]",
                 "for instance serial:/dev/ttyACM0:921600"};
  return open_serial(path, baud);
}

Result<std::unique_ptr<ByteStream>> tcp_of(const std::string& uri, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  int port = 0;
  if (colon == std::string_view::npos || colon == 0 || !to_number(rest.substr(colon + 1), port) ||
      port < 1 || port > 65535)
    return Error{uri, "is no host and port", "tcp:HOST:PORT, the port 1 .. 65535", ""};
  std::string host(rest.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return open_tcp(host, std::string(rest.substr(colon + 1)));
}

}  // namespace

Result<std::unique_ptr<ByteStream>> open_stream(const std::string& uri) {
  const std::string_view text = uri;
  if (text.starts_with("serial:")) return serial_of(uri, text.substr(7));
  if (text.starts_with("tcp:")) return tcp_of(uri, text.substr(4));
  if (text.starts_with("process:")) return open_process(split(text.substr(8), ' '));
  return Error{uri, "is no link to a device",
               "serial:PORT[:BAUD], tcp:HOST:PORT, process:PROGRAM, or gdb:HOST:PORT where memory "
               "alone is asked",
               ""};
}

}  // namespace lockstep
