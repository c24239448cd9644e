// SIGINT, SIGTERM and SIGHUP, from the moment this object exists until the process ends.
//
// Before recording() a signal ends the program at once: it says so, removes the file that was begun and exits with 128
// and the signal's number. After it, a signal only makes descriptor() readable, and the recording ends in order; if
// that takes more than a second, another signal ends the program at once and leaves the file as far as it was written.
#pragma once

#include <signal.h>

#include <string>

namespace tailcap::capture {

class Signals {
 public:
  Signals();  // throws std::system_error
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The file has its name, and only the summary follows: a signal to end changes nothing, not even the exit code.
  void file_is_whole() { whole_ = true; }

  // Removed when a signal ends the program before recording(). "": nothing.
  void remove_if_interrupted(const std::string& file);
  // While it exists, signals wait. A file is created and passed to remove_if_interrupted() in one.
  class Deferred {
   public:
    Deferred();
    ~Deferred();
    Deferred(const Deferred&) = delete;
    Deferred& operator=(const Deferred&) = delete;

   private:
    sigset_t before_;
  };
  void recording();
  // From now on SIGUSR1 asks for a snapshot; otherwise it ends the program.
  void take_snapshots();
  bool snapshot_asked();  // since the last call
  int descriptor() const;
  int taken() const;  // the signal that came; 0: none

 private:
  bool whole_ = false;
};

const char* name_of_signal(int signal);

}  // namespace tailcap::capture
