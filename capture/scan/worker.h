// The child process that reads files: without privileges, confined, and with a time after which it ends.
#pragma once

namespace tailcap::capture::scan {

// Each message is a request with the file and a memfd for the answer; one byte says that the answer is there. Ends with
// the other end of the socket.
void serve_scans(int socket);

}  // namespace tailcap::capture::scan
