// Streams of frames as a workload sends them and a test expects them: the same bytes at both, from the same seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::workload {

struct Frame {
  std::size_t begin = 0;    // of its header in the stream
  std::size_t header = 0;   // bytes of it
  std::size_t payload = 0;  // bytes behind it
  bool bulk = false;        // what the recorder may step over
};

struct Framed {
  std::string bytes;
  std::vector<Frame> frames;
};

// HTTP/2 of some megabytes: the client's begins with the preface. Frames of all types, DATA from nothing to 70,000
// bytes.
Framed http2_stream(bool client);
// TLS records: a handshake, then application data from nothing to a full record.
Framed tls_stream(bool client);

}  // namespace tailcap::workload
