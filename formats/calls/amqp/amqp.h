// Calls of AMQP 0-9-1, as RabbitMQ speaks it. AMQP 1.0 is another protocol.
//
// All messages have numbers (Token.call). A message is a method frame with the content behind it: its header and its
// bodies. Heartbeats and the eight bytes that begin a connection lie outside of messages, as do the frames of a content
// that another channel's method has interrupted: its message ends with the type of that method's frame.
//
//   asks       PUBLISH, GET, CONSUME, CANCEL, QOS, RECOVER; all others have their class: QUEUE DECLARE, TX COMMIT,
//              CHANNEL OPEN. CONNECT is start-ok with its answer, tune. With no-wait they are unanswered
//   PUBLISH    keys: exchange and routing key, each ends with `text_ends`; an empty one has no bytes. Behind
//              confirm.select the server's ack or nack answers it, or basic.return. That does not say which publish it
//              means, but the lengths of its names and bodies: if several have them, it is `pushed`, and the last one
//              of as many answers them all. Those that an ack names before stay open. Without confirms, a publish is
//              unanswered
//   DELIVER    a `turned` request, keys as those of PUBLISH. The client's ack, nack or reject answers it. It is
//              unanswered where consumers do not acknowledge: masking hides their tags, so that only what all consumers
//              of a channel have in common is known. If they differ, all are unanswered
//   close      by the server fails the call that it names; without such a call it is `pushed`
//   others     `pushed`, those of the client `turned`, too: they have a number that no call has
//
// One ack can answer several calls: Machine::further_call. Field::error_code is raw bytes, of which the last two count:
// a reply code, or the number of the method (nack, reject). See code().
//
// In the middle of a connection, publishes are unanswered until the channel's first ack of the server: it says that the
// channel confirms, and what its tag counts up to. An ack of more than was counted is `pushed` and corrects the count.
// Deliveries are unanswered until the client's first ack on their channel.
//
// Bytes can be skipped inside values. Behind the first body of a long content, all further ones but the last have its
// size: they can be skipped with their ends. What is seen behind them must be what the arithmetic says.
//
// Memory of a connection: 1024 channels of 176 bytes, 16,384 publishes and as many deliveries of 32 bytes. On more
// channels, and beyond the others, calls are unanswered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::amqp {

// Requests: the eight bytes of version 0-9-1. Responses: connection.start.
bool begins(Side side, std::string_view bytes);
// It begins with a whole method frame, what follows are frames, and one is a method that only this side sends. Clients
// and servers acknowledge alike: an ack proves either side.
bool proves(Side side, std::string_view bytes, std::uint64_t length);
std::unique_ptr<Machine> machine(bool from_beginning);
// The name of a reply code, NACK or REJECT. Others: in decimal.
std::string code(std::string_view bytes);
// As code() says it. The server's: nacks and rejects, forced closes and internal errors.
Fault fault(std::string_view error_code);

}  // namespace tailcap::formats::calls::amqp
