// The user that `-- COMMAND` runs as, where another one than the recorder's is asked for.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tailcap::capture {

struct Account {
  std::string name, home;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // all of them
};

// "NAME" or "NAME:GROUP", by name or number. Throws std::runtime_error if there is none.
Account find_account(const std::string& text);

// In a forked child: becomes that user for good, and says so in HOME, USER and LOGNAME. False: errno says why not.
bool become(const Account& account);

}  // namespace tailcap::capture
