#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "link/descriptor_stream.h"

namespace lockstep {
namespace {

constexpr std::pair<int, speed_t> speeds[] = {
    {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
    {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
    {3500000, B3500000}, {4000000, B4000000}};

const speed_t* speed_of(int baud) {
  for (const auto& [rate, code] : speeds)
    if (rate == baud) return &code;
  return nullptr;
}

// Raw bytes at that rate. HUPCL is cleared: closing the port must not drop DTR, which resets some
// boards.
bool configure(int descriptor, speed_t speed) {
  termios t{};
  if (tcgetattr(descriptor, &t) != 0) return false;
  cfmakeraw(&t);
  t.c_cflag |= CLOCAL | CREAD;
  t.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | PARENB | CRTSCTS | HUPCL);
  t.c_cc[VMIN] = 1;  // without bytes a read says so; 0 bytes mean a hang-up
  t.c_cc[VTIME] = 0;
  cfsetispeed(&t, speed);
  cfsetospeed(&t, speed);
  return tcsetattr(descriptor, TCSANOW, &t) == 0;
}

// A pty may stay open at its other holder, and with it the mark of exclusive use.
bool is_pty(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && major(status.st_rdev) >= 136 &&
         major(status.st_rdev) <= 143;
}

// What is still to be sent goes out before the port is closed: the end of large packets is lost
// otherwise.
class SerialStream : public DescriptorStream {
 public:
  using DescriptorStream::DescriptorStream;
  ~SerialStream() override {
    int left = 0;
    for (int i = 0; i < 50 && ioctl(descriptor(), TIOCOUTQ, &left) == 0 && left > 0; ++i)
      usleep(10000);
    ioctl(descriptor(), TIOCNXCL);
  }
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_serial(const std::string& path, int baud) {
  const std::string name = fmt::format("serial:{}:{}", path, baud);
  const speed_t* speed = speed_of(baud);
  if (!speed) {
    std::string known;
    for (const auto& [rate, code] : speeds)
      known += (known.empty() ? "" : ", ") + std::to_string(rate);
    return Error{name, fmt::format("{} baud is no rate of this system's serial lines", baud), known,
                 ""};
  }
  const int descriptor = open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    const int reason = errno;
    return link_error(name, fmt::format("cannot be opened: {}", std::strerror(reason)),
                      "a serial port",
                      reason == EACCES  ? "add yourself to the group 'dialout'"
                      : reason == EBUSY ? "another program holds it"
                                        : "");
  }
  if (!isatty(descriptor) || !configure(descriptor, *speed)) {
    close(descriptor);
    return link_error(name, "is no serial port", "a device such as /dev/ttyACM0", "");
  }
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 ||
      (!is_pty(descriptor) && ioctl(descriptor, TIOCEXCL) != 0)) {
    close(descriptor);
    return link_error(name, "another program holds the port", "exclusive use", "");
  }
  tcflush(descriptor, TCIOFLUSH);
  return std::unique_ptr<ByteStream>(std::make_unique<SerialStream>(descriptor, name, true));
}

}  // namespace lockstep
