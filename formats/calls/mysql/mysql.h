// The client/server protocol of MySQL and MariaDB: handshake of version 10, commands, text and binary results.
//
// A call is one command packet with its response; COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA and COM_QUIT have no answer
// and are no calls. The connection phase is one call, CONNECT: its request is the client's HandshakeResponse, its
// response ends with OK or ERR. The greeting, SSLRequest, what the client sends behind an auth switch, and the files of
// LOAD DATA LOCAL lie outside of messages.
//
// A request begins with its command byte: the packet header before it does not say whether it is a call. A response
// begins with its first packet header. Three fields are raw numbers, the least significant byte first:
//   definition   four bytes, of the response to PREPARE: the statement's id
//   reference    four bytes, of EXECUTE, FETCH and RESET STATEMENT: the statement's id. ff ff ff ff (MariaDB) is the
//                statement of the last PREPARE
//   error_code   two bytes, of ERR. ff ff is a progress report (MariaDB): no error, and the response goes on
// PREPARE has its text as Field::statement. COM_QUERY has no operation: its statement has it. No response has rows.
//
// Whether EOF packets end the definitions of columns (CLIENT_DEPRECATE_EOF) is agreed on in the connection phase. A
// machine in the middle of a connection learns it from the first result set. Before, the end of the response to a
// PREPARE that has parameters or columns, but not both, is unknown: size 0.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::mysql {

// Responses: the server's greeting. Requests: the HandshakeResponse behind an SSLRequest, where TLS carries it; without
// TLS, the client speaks second.
bool begins(Side side, std::string_view bytes);
// Requests: the I/O is one command packet. Responses: it begins with an answer's first packet.
bool proves(Side side, std::string_view bytes, std::uint64_t length);
// It reads neither compressed connections nor the stream behind COM_BINLOG_DUMP: size 0.
std::unique_ptr<Machine> machine(bool from_beginning);
// The code in decimal: 1062.
Fault fault(std::string_view error_code);

}  // namespace tailcap::formats::calls::mysql
