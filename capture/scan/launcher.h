// Makes child processes from one that was forked while the recorder had neither threads nor secrets.
//
// The launcher knows nothing but the socket on which it is asked. It ends with the recorder, and its children with it;
// they are not the recorder's own children, so that one that cannot be ended holds nobody up. None has the recorder's
// standard streams.
#pragma once

#include <cstdint>

#include "capture/scan/message.h"

namespace tailcap::capture::scan {

class Launcher {
 public:
  struct Work {
    const char* name;           // of the processes
    bool (*prepare)();          // in the launcher, once. False: it gives up
    void (*serve)(int socket);  // in each child, until it has nothing more to do
  };
  // Forks. Throws std::system_error.
  explicit Launcher(const Work& work);

  // A new child's socket; none: it cannot be made. From any thread.
  Descriptor start() const;
  std::uint32_t pid() const { return pid_; }  // of the launcher

 private:
  std::uint32_t pid_ = 0;
  Descriptor socket_;
};

}  // namespace tailcap::capture::scan
