// Calls of memcached: the text protocol with its meta commands, and the binary protocol. A connection carries one of
// the two; its first byte says which. A call is one command and its response.
//
// Text: words that a blank or CRLF may end come with `text_ends` if their end is in the same piece. Otherwise the token
// behind them, the blank or CR, has `text_ends` and no field. Further keys of a command, amounts, CAS numbers and the
// arguments of meta flags are values; the letters of meta flags are kept. A number that answers incr or decr is hidden:
// asterisks and question marks are read as one. Field::error_code counts only in a response that failed: an "E" that is
// cut off can become ERROR or END.
//
// Binary: the name of the operation is static (GET, GETKQ, SASL_AUTH). Field::error_code is the two bytes of the
// status, big-endian. The last byte of a value is a token of its own, so that the end is visible if the rest is left
// out.
//
// Requests without answers: those with noreply, with the meta flag q and of quiet operations end with `unanswered`.
// Quiet ones are answered nevertheless when they hit or fail. Such a response is `pushed`. In the text protocol, it is
// known by its form: behind "mg a q" and "mn", VA answers the first. Where both could be answered so ("mg a q" and "mg
// b"), nothing visible says which one it is, and the position of the responses is lost.
//
// A response without a request in the queue answers an unknown one, and ends where its own form says.
//
// Bytes can be skipped inside data blocks and bodies only, not up to the last byte of a binary message, and not
// inside a key: lines end where they end.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::memcached {

// The first bytes of a connection are requests of this protocol: a command in lower case with what may follow it, or a
// whole header of a binary request. Responses never are evidence.
bool begins(Side side, std::string_view bytes);
// An I/O of `length` bytes, in the middle of a connection, begins with a whole command or response line or a binary
// header, and all of `bytes` is what the protocol allows behind it.
bool proves(Side side, std::string_view bytes, std::uint64_t length);
std::unique_ptr<Machine> machine(bool from_beginning);
// SERVER_ERROR, and the binary statuses for a lack of memory, internal errors and temporary ones are the server's
// fault. Unknown and unsupported commands are the client's, as the text protocol's ERROR. A status is given in decimal
// or as its two bytes.
Fault fault(std::string_view error_code);

}  // namespace tailcap::formats::calls::memcached
