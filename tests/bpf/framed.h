// Streams of frames: the workload and the test make the same bytes from the same seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::workload {

struct Frame {
  std::size_t begin = 0;    // of its header, in the stream
  std::size_t header = 0;   // bytes of the header
  std::size_t payload = 0;  // bytes after the header
  bool bulk = false;        // the recorder may step over the payload
};

struct Framed {
  std::string bytes;
  std::vector<Frame> frames;
};

// Some megabytes of HTTP/2: the client's begins with the preface. Frames of all types, DATA from 0 to 70,000 bytes.
Framed http2_stream(bool client);
// TLS records: a handshake, then application data from 0 bytes to a full record.
Framed tls_stream(bool client);
// AMQP 0-9-1: the client's begins with the protocol's header. Methods, and messages with a body of 0 to 300,000 bytes.
Framed amqp_stream(bool client);

}  // namespace tailcap::workload
