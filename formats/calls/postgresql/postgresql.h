// PostgreSQL, protocol 3.x: what each byte is, and which messages are one call.
//
// A call is one simple Query, one Execute of the extended protocol, one FunctionCall ("FUNCTION"), one StartupMessage
// ("CONNECT"), or a batch of Parse, Bind and Describe without an Execute that a Sync ends, or a Flush if no Bind is
// among them ("PREPARE"). An Execute without a Bind in its request is "FETCH": it goes on with a portal. A request
// begins with the first Parse, Bind, Describe, Execute or Query behind the previous one; that of StartupMessage begins
// with its 8th byte, because only this one tells it from an SSLRequest. All other messages (Sync, Flush, Close,
// Terminate, CancelRequest, passwords, the data of COPY) belong to the request that is open, or to none.
//
// Texts end with a NUL byte. It is a token of its own, with the field of its text and with `text_ends`; an unnamed
// statement is this byte alone. A name holds at most 63 bytes of letters, digits and `_$.:-/`; from the first other one
// on it is `value`, and two such names can look the same. If a part of a text is not visible, `text_ends` is
// missing.
//
// A response ends, by the call that it answers: Query and FunctionCall with ReadyForQuery, StartupMessage too or with
// its error, Execute with CommandComplete, EmptyQueryResponse, PortalSuspended or an error, PREPARE with the last of
// its replies. A ReadyForQuery that answers a Sync is part of no message. Behind an error the server skips to the next
// Sync, whose ReadyForQuery is then the failed response to the first call that it skipped; `further` says how many
// others it skipped. An error that ends the connection also ends the call. Notifications, errors without a call, and
// errors of a Sync itself are `pushed`.
//
// A response without a known request answers one that is recorded later, or that was sent before the machine began. It
// ends with ReadyForQuery, or as that of an Execute if it begins as one. If the machine saw a request before, or the
// connection's beginning, the next request is taken as the one that was answered.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::postgresql {

// StartupMessage, SSLRequest, GSSENCRequest or CancelRequest. A server's first bytes begin nothing.
bool begins(Side side, std::string_view bytes);

// A chain of legal messages, whole or masked. Requests consist of whole ones; the last message of a response may go
// on behind the I/O if it is a DataRow and not the first.
bool proves(Side side, std::string_view bytes, std::uint64_t length);

// resume() knows responses only: ReadyForQuery at the end of an I/O, if at most one is outstanding and before it at
// most one call, or none that the server does not skip. If it says no, or requests are lost, a new machine has to begin
// at an I/O that proves itself.
std::unique_ptr<Machine> machine(bool from_beginning);

// By the class of a SQLSTATE.
Fault fault(std::string_view sqlstate);

}  // namespace tailcap::formats::calls::postgresql
