// One question to a name server with its answer, as it was sent and read on a UDP socket.
//
// What a program got from /etc/hosts, from a daemon (nscd, systemd-resolved's own protocol) or from its own memory is
// not seen, nor are questions over TCP, TLS or HTTPS, nor those from UDP sockets that are not connected (musl).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/byte_run.h"
#include "formats/socket_event.h"

namespace tailcap::model {

// ::ffff:a.b.c.d for IPv4.
using IpAddress = std::array<std::uint8_t, 16>;
IpAddress ip_address(const formats::Address& address, formats::Family family);

struct Lookup {
  static constexpr std::size_t kMaxAddresses = 64;
  std::string name;              // as asked, without the last dot; bytes that are not printable as \ddd
  std::uint16_t type = 0;        // 1: A, 28: AAAA
  int rcode = -1;                // of the answer; -1: none came
  int error = 0;                 // errno of the read that failed instead
  formats::Thread thread;        // asked the question
  std::uint64_t goroutine = 0;   // likewise; 0: none, or not known
  formats::SocketId socket = 0;  // that it was asked on last, with its local end
  formats::Address local;
  formats::Family family = formats::Family::unknown;
  formats::Address server;     // that answered, or was asked last
  Time began = kNoTime;        // the first question was sent (the call returned); kNoTime: not seen
  Time done = kNoTime;         // the answer was read
  Time given_up = kNoTime;     // no answer came: when its thread stopped waiting for one, as far as that was seen
  std::uint32_t attempts = 0;  // times that it was asked
  std::uint32_t records = 0;   // in the answer, as it says
  bool truncated = false;      // the answer did not fit: it is asked again over TCP, which is not followed
  std::vector<IpAddress> addresses;
};

// What a program asked for and did not get: all questions that a resolver asked for it, about several names where it
// tried those of its search list.
struct FailedName {
  std::string name;  // that was asked for
  std::string
      cause;     // "NXDOMAIN", "no answer", "no answer (refused)", "no address"; empty: it was under way at the end
  Lookup last;   // the question that was answered, or given up, last
  Thread asker;  // of the first question
  Time began = kNoTime;  // the first question was sent
  Time done = kNoTime;   // the last answer was read, or the wait for it given up; kNoTime: not known
  bool in_flight = false;
};

std::string rcode_name(int rcode);                 // "NXDOMAIN"; "no answer" for -1
std::string record_type_name(std::uint16_t type);  // "A", "AAAA", "TYPE65280"

}  // namespace tailcap::model
