// Starts child processes from a process that was forked while the recorder had neither threads nor secrets.
//
// The launcher knows nothing but the socket on which it is asked. It ends with the recorder, and its children with it;
// they are not the recorder's own children, so that one that cannot be ended delays nothing. None has the recorder's
// standard streams.
#pragma once

#include <cstdint>

#include "capture/scan/message.h"

namespace tailcap::capture::scan {

class Launcher {
 public:
  struct Work {
    const char* name;           // of the processes
    bool (*prepare)();          // called once, in the launcher. False: it gives up
    void (*serve)(int socket);  // called in each child; returns when there is nothing more to do
  };
  // Forks. Throws std::system_error.
  explicit Launcher(const Work& work);

  // The socket of a new child; none: it could not be started. From any thread.
  Descriptor start() const;
  std::uint32_t pid() const { return pid_; }  // of the launcher

 private:
  std::uint32_t pid_ = 0;
  Descriptor socket_;
};

}  // namespace tailcap::capture::scan
