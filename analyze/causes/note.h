// The exchanges of a process, reduced to the facts that attribution of calls uses.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "analyze/causes/later.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::causes {

using formats::Time;

// The facts of one exchange.
struct Note {
  model::ExchangeId id;
  std::uint32_t stream = 0;                                  // HTTP/2; 0: HTTP/1
  std::uint32_t reader = 0, writer = 0;                      // threads; 0: unknown
  std::uint64_t reader_goroutine = 0, writer_goroutine = 0;  // 0: none, or unknown
  std::uint64_t goroutine = 0;            // server: the carrier; client: the caller; 0: none, or unknown
  Time began = formats::kNoTime;          // server: first byte read (and nothing before it on the connection is left to
                                          // answer); client: first byte sent
  Time made = formats::kNoTime;           // client: when it was decided upon, as far as that is seen; else began
  Time request_done = formats::kNoTime;   // last byte read, sent
  Time answered = formats::kNoTime;       // first byte of the response sent, read
  Time ended = formats::kNoTime;          // and its last
  Time connect_began = formats::kNoTime;  // client, the first on its connection
  // The look-up of a name, by a thread that is given such work: the thread that woke it for that. Its wakings until
  // then, latest first.
  Time given_up = formats::kNoTime;  // when it had failed
  std::uint32_t giver = 0;           // 0: not known
  std::array<Time, 2> given = {formats::kNoTime, formats::kNoTime};
  std::array<std::uint64_t, 2> trace{};  // zeros: none
  std::uint64_t span = 0, parent_span = 0;
  model::TextId method = 0, authority = 0, target = 0, request_id = 0;
  formats::SocketId socket = 0;  // of its connection, or of the one that carries it; 0: not known
  std::uint64_t pool = 0;        // client: calls that may share connections have the same
  std::uint64_t agent = 0;       // the user agent, as a number; 0: not known
  std::int64_t bytes = -1;       // of the request's body; -1: not known
  bool goroutine_sure = false;
  bool whole = false;       // nothing of it is doubtful
  bool head_known = false;  // all fields of its request are
  bool dedicated = false;   // server: its reader was seen blocked in a read of its connection, as no event loop is
  bool blocked = false;     // client: its reader was seen blocked in a read while it was under way

  bool traced() const { return trace != std::array<std::uint64_t, 2>{}; }
};

struct Process {
  std::vector<Note> servers, clients;
  bool go = false;                       // goroutines were seen: then threads say nothing
  Time blind_until = formats::kNoTime;   // exchanges that were over by then were forgotten
  Time unseen_until = formats::kNoTime;  // until then, requests with an unseen beginning were under way
};

}  // namespace tailcap::causes
