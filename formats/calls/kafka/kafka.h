// Kafka's protocol between clients and brokers, as of version 3.9: all APIs and versions, with classic and flexible
// headers (https://kafka.apache.org/protocol).
//
// A call is one request and its response. Its number is the machine's own; a response finds its request by the
// correlation id. At most kMostOpen requests are kept, 16 bytes each: then the oldest is forgotten. A response to none
// of them is `pushed`, and hidden. Produce with acks=0 is `unanswered`.
//
// Field::key is the first topic of a request, or the group where it has no topic. Topics that are ids (Fetch 13) are no
// keys, and a Fetch that changes nothing in its session names none. Behind the key, all of a request is hidden: records
// are not read.
//
// Field::error_code is one byte, the low one of the first error code that is not 0: all codes are from -1 to 255. A
// response that carries one has failed, whichever topic or partition it is about; partitions of Metadata are not asked.
// Where only some elements of a response are walked, a later error is not seen: see kApis and kMostSteps.
//
// Behind SaslHandshake 0, tokens without headers are exchanged. Each is a call SASL AUTHENTICATE, and all of it is
// hidden. They end with the first bytes that can begin a header.
//
// Unseen bytes lose the position only at a border. Inside of a value they change nothing. Elsewhere they end the walk
// of the message, and what stands behind them is hidden.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::kafka {

inline constexpr std::size_t kMostOpen = 1024;

// Requests: a whole header of a known version with a printable client id, and all that is visible of the body is laid
// out as the version says. Responses never are evidence.
bool begins(Side side, std::string_view bytes);
// Requests: as above, and the sizes of the messages agree with the length of the I/O. Responses: the sizes agree;
// whether it answers an open request only the machine can tell.
bool proves(Side side, std::string_view bytes, std::uint64_t length);
// In the middle of a connection, the machine refuses responses until one answers a request that it has seen.
std::unique_ptr<Machine> machine(bool from_beginning);
// By name. A broker that was asked wrongly, as one that does not lead the partition, is the client's fault.
Fault fault(std::string_view error_code);
// The name of an error code, by its low byte.
std::string code(std::string_view bytes);

}  // namespace tailcap::formats::calls::kafka
