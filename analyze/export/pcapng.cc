#include "analyze/export/pcapng.h"

#include <array>
#include <cassert>

namespace tailcap::exports {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6, kByteOrder = 0x1a2b3c4d;
constexpr std::uint16_t kRawIp = 101;  // LINKTYPE_RAW
constexpr std::uint16_t kEndOfOptions = 0, kComment = 1, kApplication = 4, kName = 2, kResolution = 9;
constexpr std::uint8_t kNanoseconds = 9;  // 10^-9 s
constexpr std::size_t kLongestComment = 4096;

// Blocks are in the order of bytes of the machine that writes them: little endian everywhere.
template <class T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}
template <class T>
void put_network(std::string& out, T value) {
  for (std::size_t i = sizeof value; i-- > 0;) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}
void pad(std::string& out) {
  while (out.size() % 4 != 0) out += '\0';
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  put(out, code);
  put(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

std::string block(std::uint32_t type, const std::string& body) {
  std::string out;
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  put(out, type);
  put(out, length);
  out += body;
  put(out, length);
  return out;
}

std::uint16_t checksum_of(std::string_view header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(header[i]) << 8 |
                                      static_cast<unsigned char>(header[i + 1]));
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

constexpr std::uint32_t kTcpHeader = 20;
constexpr std::uint8_t kTcp = 6, kHops = 64;

std::string ip_header(const TcpSegment& s) {
  std::string out;
  const auto address = [&](const formats::Address& a, std::size_t n) {
    out.append(reinterpret_cast<const char*>(a.bytes.data()), n);
  };
  if (s.family == formats::Family::inet6) {
    put_network(out, std::uint32_t{6u << 28});
    put_network(out, static_cast<std::uint16_t>(kTcpHeader + s.length));
    out += static_cast<char>(kTcp);
    out += static_cast<char>(kHops);
    address(s.from, 16);
    address(s.to, 16);
    return out;
  }
  put_network(out, std::uint16_t{0x4500});
  put_network(out, static_cast<std::uint16_t>(20 + kTcpHeader + s.length));
  put_network(out, std::uint32_t{0x00004000});  // no identification; not to be fragmented
  out += static_cast<char>(kHops);
  out += static_cast<char>(kTcp);
  put_network(out, std::uint16_t{0});
  address(s.from, 4);
  address(s.to, 4);
  const std::uint16_t sum = checksum_of(out);
  out[10] = static_cast<char>(sum >> 8);
  out[11] = static_cast<char>(sum);
  return out;
}

void put_tcp_header(std::string& out, const TcpSegment& s) {
  constexpr std::uint16_t kFin = 1, kReset = 4, kPush = 8, kAck = 16, kWords = kTcpHeader / 4 << 12;
  put_network(out, s.from.port);
  put_network(out, s.to.port);
  put_network(out, s.sequence);
  put_network(out, s.acknowledged);
  put_network(out, static_cast<std::uint16_t>(kWords | kAck | (s.length > 0 ? kPush : 0) | (s.fin ? kFin : 0) |
                                              (s.reset ? kReset : 0)));
  put_network(out, std::uint16_t{0xffff});  // window
  put_network(out, std::uint32_t{0});       // no checksum: not all bytes are known
}

}  // namespace

Pcapng::Pcapng(std::function<void(std::string_view)> write, std::string_view version) : write_(std::move(write)) {
  std::string head;
  put(head, kByteOrder);
  put(head, std::uint16_t{1});
  put(head, std::uint16_t{0});
  put(head, std::int64_t{-1});  // the section's length is not known
  put_option(head, kApplication, "tailcap " + std::string(version));
  put_option(head, kEndOfOptions, "");
  write_(block(kSection, head));
  std::string interface;
  put(interface, kRawIp);
  put(interface, std::uint16_t{0});
  put(interface, std::uint32_t{0});  // no limit of packets
  put_option(interface, kName, "reconstructed by tailcap");
  put_option(interface, kResolution, std::string_view(reinterpret_cast<const char*>(&kNanoseconds), 1));
  put_option(interface, kEndOfOptions, "");
  write_(block(kInterface, interface));
}

void Pcapng::add(const TcpSegment& s) {
  assert(s.length <= TcpSegment::kLongest && s.captured.size() <= s.length);
  std::string packet = ip_header(s);
  put_tcp_header(packet, s);
  const auto original = static_cast<std::uint32_t>(packet.size() + s.length);
  packet += s.captured;
  std::string body;
  const auto time = static_cast<std::uint64_t>(s.time);
  put(body, std::uint32_t{0});
  put(body, static_cast<std::uint32_t>(time >> 32));
  put(body, static_cast<std::uint32_t>(time));
  put(body, static_cast<std::uint32_t>(packet.size()));
  put(body, original);
  body += packet;
  pad(body);
  if (!s.comment.empty()) {
    put_option(body, kComment, std::string_view(s.comment).substr(0, kLongestComment));
    put_option(body, kEndOfOptions, "");
  }
  write_(block(kPacket, body));
}

}  // namespace tailcap::exports
