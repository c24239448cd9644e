// The wire of AMQP 0-9-1: frames and methods.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::amqp {

inline constexpr std::string_view kBeginning{"AMQP\0\0\x09\x01", 8};
inline constexpr std::size_t kFrameHeader = 7;        // type, channel, size
inline constexpr std::size_t kContentHeader = 12;     // class, weight, size of the bodies
inline constexpr std::uint32_t kMinFrame = 4096;      // the least that a side must accept
inline constexpr std::uint32_t kMaxFrame = 1u << 29;  // 128 KiB are the default
inline constexpr char kFrameEnd = '\xce';
enum FrameType : std::uint8_t { kMethod = 1, kHeader = 2, kBody = 3, kHeartbeat = 8 };

constexpr unsigned byte(char c) { return static_cast<unsigned char>(c); }
constexpr unsigned two(const char* p) { return byte(p[0]) << 8 | byte(p[1]); }
constexpr std::uint32_t four(const char* p) { return two(p) << 16 | two(p + 2); }

enum class Role : std::uint8_t {
  none,
  // of clients
  ask,
  publish,
  // of servers
  answer,
  deliver,
  returned,
  close,
  cancel,
  // of both
  settle,  // ack, nack, reject
  closed,  // of clients: close-ok
};

// Class and method.
constexpr std::uint16_t number(unsigned group, unsigned method) {
  return static_cast<std::uint16_t>(group << 8 | method);
}

inline constexpr std::uint16_t kStartOk = number(10, 11), kConnectionOpen = number(10, 40),
                               kConnectionClose = number(10, 50), kChannelOpen = number(20, 10),
                               kChannelClose = number(20, 40), kConsume = number(60, 20), kCancel = number(60, 30),
                               kPublish = number(60, 40), kGetOk = number(60, 71), kAck = number(60, 80),
                               kReject = number(60, 90), kNack = number(60, 120), kRecover = number(60, 110),
                               kRecoverAsync = number(60, 100), kConfirmSelect = number(85, 10);

// Arguments, a letter each:
//   k short string, a key    n short string, a name    s short string, hidden    S long string or table, hidden
//   r short    b bits    t delivery tag    c reply code    m class and method
//   h hidden short    l hidden long
struct Method {
  std::uint16_t number;
  std::string_view name;  // of an ask
  const char* arguments;
  Role role = Role::none;
  std::uint8_t bits = 0;      // that can be set
  std::uint8_t no_wait = 0;   // one of them
  std::uint16_t answers = 0;  // of an answer: the ask
  bool content = false;
};

inline constexpr Method kOfClients[] = {
    {kStartOk, "CONNECT", "SsSs", Role::ask},
    {number(10, 21), "", "S"},
    {number(10, 31), "", "hlh"},
    {kConnectionOpen, "CONNECTION OPEN", "ssb", Role::ask, 0x01},
    {kConnectionClose, "CONNECTION CLOSE", "rsm", Role::ask},
    {number(10, 51), "", "", Role::closed},
    {number(10, 70), "CONNECTION UPDATE SECRET", "Ss", Role::ask},
    {kChannelOpen, "CHANNEL OPEN", "s", Role::ask},
    {number(20, 20), "CHANNEL FLOW", "b", Role::ask, 0x01},
    {number(20, 21), "", "b", Role::none, 0x01},
    {kChannelClose, "CHANNEL CLOSE", "rsm", Role::ask},
    {number(20, 41), "", "", Role::closed},
    {number(30, 10), "ACCESS REQUEST", "sb", Role::ask, 0x1f},
    {number(40, 10), "EXCHANGE DECLARE", "rnsbS", Role::ask, 0x1f, 0x10},
    {number(40, 20), "EXCHANGE DELETE", "rnb", Role::ask, 0x03, 0x02},
    {number(40, 30), "EXCHANGE BIND", "rnnkbS", Role::ask, 0x01, 0x01},
    {number(40, 40), "EXCHANGE UNBIND", "rnnkbS", Role::ask, 0x01, 0x01},
    {number(50, 10), "QUEUE DECLARE", "rnbS", Role::ask, 0x1f, 0x10},
    {number(50, 20), "QUEUE BIND", "rnnkbS", Role::ask, 0x01, 0x01},
    {number(50, 30), "QUEUE PURGE", "rnb", Role::ask, 0x01, 0x01},
    {number(50, 40), "QUEUE DELETE", "rnb", Role::ask, 0x07, 0x04},
    {number(50, 50), "QUEUE UNBIND", "rnnkS", Role::ask},
    {number(60, 10), "QOS", "lhb", Role::ask, 0x01},
    {kConsume, "CONSUME", "rnsbS", Role::ask, 0x0f, 0x08},
    {kCancel, "CANCEL", "sb", Role::ask, 0x01, 0x01},
    {number(60, 31), "", "s"},
    {kPublish, "PUBLISH", "rnkb", Role::publish, 0x03, 0, 0, true},
    {number(60, 70), "GET", "rnb", Role::ask, 0x01},
    {kAck, "", "tb", Role::settle, 0x01},
    {kReject, "", "tb", Role::settle, 0x01},
    {kRecoverAsync, "RECOVER", "b", Role::ask, 0x01},
    {kRecover, "RECOVER", "b", Role::ask, 0x01},
    {kNack, "", "tb", Role::settle, 0x03},
    {kConfirmSelect, "CONFIRM SELECT", "b", Role::ask, 0x01, 0x01},
    {number(90, 10), "TX SELECT", "", Role::ask},
    {number(90, 20), "TX COMMIT", "", Role::ask},
    {number(90, 30), "TX ROLLBACK", "", Role::ask},
};

inline constexpr Method kOfServers[] = {
    {number(10, 10), "", "hSSS"},
    {number(10, 20), "", "S"},
    {number(10, 30), "", "hlh", Role::answer, 0, 0, kStartOk},
    {number(10, 41), "", "s", Role::answer, 0, 0, kConnectionOpen},
    {kConnectionClose, "", "csm", Role::close},
    {number(10, 51), "", "", Role::answer, 0, 0, kConnectionClose},
    {number(10, 60), "", "s"},
    {number(10, 61), "", ""},
    {number(10, 71), "", "", Role::answer, 0, 0, number(10, 70)},
    {number(20, 11), "", "S", Role::answer, 0, 0, kChannelOpen},
    {number(20, 20), "", "b", Role::none, 0x01},
    {number(20, 21), "", "b", Role::answer, 0x01, 0, number(20, 20)},
    {kChannelClose, "", "csm", Role::close},
    {number(20, 41), "", "", Role::answer, 0, 0, kChannelClose},
    {number(30, 11), "", "h", Role::answer, 0, 0, number(30, 10)},
    {number(40, 11), "", "", Role::answer, 0, 0, number(40, 10)},
    {number(40, 21), "", "", Role::answer, 0, 0, number(40, 20)},
    {number(40, 31), "", "", Role::answer, 0, 0, number(40, 30)},
    {number(40, 51), "", "", Role::answer, 0, 0, number(40, 40)},
    {number(50, 11), "", "sll", Role::answer, 0, 0, number(50, 10)},
    {number(50, 21), "", "", Role::answer, 0, 0, number(50, 20)},
    {number(50, 31), "", "l", Role::answer, 0, 0, number(50, 30)},
    {number(50, 41), "", "l", Role::answer, 0, 0, number(50, 40)},
    {number(50, 51), "", "", Role::answer, 0, 0, number(50, 50)},
    {number(60, 11), "", "", Role::answer, 0, 0, number(60, 10)},
    {number(60, 21), "", "s", Role::answer, 0, 0, kConsume},
    {kCancel, "", "sb", Role::cancel, 0x01},
    {number(60, 31), "", "s", Role::answer, 0, 0, kCancel},
    {number(60, 50), "", "csss", Role::returned, 0, 0, 0, true},
    {number(60, 60), "DELIVER", "stbnk", Role::deliver, 0x01, 0, 0, true},
    {kGetOk, "", "tbssl", Role::answer, 0x01, 0, number(60, 70), true},
    {number(60, 72), "", "s", Role::answer, 0, 0, number(60, 70)},
    {kAck, "", "tb", Role::settle, 0x01},
    {number(60, 111), "", "", Role::answer, 0, 0, kRecover},
    {kNack, "", "tb", Role::settle, 0x03},
    {number(85, 11), "", "", Role::answer, 0, 0, kConfirmSelect},
    {number(90, 11), "", "", Role::answer, 0, 0, number(90, 10)},
    {number(90, 21), "", "", Role::answer, 0, 0, number(90, 20)},
    {number(90, 31), "", "", Role::answer, 0, 0, number(90, 30)},
};

// Classes lie ten apart, but for one.
inline constexpr std::size_t kClasses = 10, kMethods = 128;
template <std::size_t N>
constexpr auto places(const Method (&rows)[N]) {
  std::array<std::uint8_t, kClasses * kMethods> out{};
  for (std::size_t i = 0; i < N; ++i)
    out[(rows[i].number >> 8) / 10u * kMethods + (rows[i].number & 0xffu)] = static_cast<std::uint8_t>(i + 1);
  return out;
}
inline constexpr auto kPlaces = std::to_array({places(kOfClients), places(kOfServers)});

// Null: this side has no such method.
inline const Method* method(Side side, unsigned group, unsigned id) {
  if (group >= kClasses * 10 || id >= kMethods) return nullptr;
  const std::size_t place = kPlaces[static_cast<std::size_t>(side)][group / 10 * kMethods + id];
  if (place == 0) return nullptr;
  const Method& m = (side == Side::requests ? kOfClients : kOfServers)[place - 1];
  return m.number == number(group, id) ? &m : nullptr;
}

}  // namespace tailcap::formats::calls::amqp
