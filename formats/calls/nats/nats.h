// NATS: the protocol of clients (https://docs.nats.io/reference/reference-protocols/nats-protocol). Leaf nodes and
// routes are not read.
//
// All calls have numbers. PUB without a reply subject is PUBLISH, unanswered; with one it is REQUEST, and the first MSG
// on that subject answers it. Each other MSG is DELIVER, `turned`; the PUB to its reply subject answers it. SUB, UNSUB
// and CONNECT are unanswered unless the server has shown by +OK that it answers them. PING of a client is answered by
// PONG. Further messages are `pushed`; on the side of requests (PONG) such a token is `turned`, too.
//
// Kept of a message: names, sizes, numbers of subscriptions, the status of headers, known texts of errors, the subject
// as a key. Which message answers which is known by reply subjects that a library or the server has made (subject.h);
// enough of them is framing. Nothing but their lengths is kept of others.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::nats {

// The server speaks first: INFO {. A client's first message is CONNECT {.
bool begins(Side side, std::string_view bytes);
// An I/O of `length` bytes, in the middle of a connection, begins with a whole line, and all of `bytes` is what the
// protocol allows. Requests: what only clients say. PING and PONG alone do not tell who says them.
bool proves(Side side, std::string_view bytes, std::uint64_t length);
std::unique_ptr<Machine> machine(bool from_beginning);
// A status (503), or the known part of a text (Slow Consumer).
Fault fault(std::string_view error_code);

}  // namespace tailcap::formats::calls::nats
