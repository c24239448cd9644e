// The command that is to be recorded: started stopped, so that its first instruction can be recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/record/account.h"

namespace tailcap::capture {

class Child {
 public:
  // Forks; the child waits for release(), and runs as that user if one is given. to_stderr: what it prints goes there,
  // because standard output is the capture. Throws std::system_error.
  Child(const std::vector<std::string>& command, const std::optional<Account>& account, bool to_stderr);
  ~Child();  // ends it: it does not outlive its recorder
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  // Lets it execute the command. Throws std::system_error if the command cannot be executed.
  void release();
  // Has it exited? Then status() is what wait(2) gave.
  bool exited();
  int status() const { return status_; }
  // SIGTERM, and SIGKILL where that does not end it in time. Only the process that was started gets them.
  void end();
  int descriptor() const { return pidfd_; }  // readable when it has exited

 private:
  int pid_ = -1, pidfd_ = -1;
  int go_ = -1;       // a byte here lets it go
  int failure_ = -1;  // its errno arrives here if it cannot execute
  bool released_ = false, exited_ = false;
  int status_ = 0;
  std::string name_;
};

}  // namespace tailcap::capture
