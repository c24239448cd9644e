#include "capture/record/account.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "formats/printable.h"

namespace tailcap::capture {

namespace {

std::optional<unsigned> id_number(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

Account find_account(const std::string& text) {
  const auto colon = text.find(':');
  const std::string user = text.substr(0, colon);
  const auto user_number = id_number(user);
  const passwd* entry = user_number ? getpwuid(*user_number) : getpwnam(user.c_str());
  if (!entry) throw std::runtime_error("there is no user '" + formats::printable(user) + "' (--user NAME[:GROUP])");
  Account account{entry->pw_name, entry->pw_dir, entry->pw_uid, entry->pw_gid, {}};
  if (colon != text.npos) {
    const std::string name = text.substr(colon + 1);
    const auto group_number = id_number(name);
    const group* found = group_number ? getgrgid(*group_number) : getgrnam(name.c_str());
    if (!found) throw std::runtime_error("there is no group '" + formats::printable(name) + "' (--user NAME[:GROUP])");
    account.group = found->gr_gid;
  }
  int count = 64;
  account.groups.resize(static_cast<std::size_t>(count));
  while (getgrouplist(account.name.c_str(), account.group, account.groups.data(), &count) < 0)
    account.groups.resize(static_cast<std::size_t>(count));
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

bool become(const Account& account) {
  if (setgroups(account.groups.size(), account.groups.data()) != 0 ||
      setresgid(account.group, account.group, account.group) != 0 ||
      setresuid(account.user, account.user, account.user) != 0)
    return false;
  setenv("HOME", account.home.c_str(), 1);
  setenv("USER", account.name.c_str(), 1);
  setenv("LOGNAME", account.name.c_str(), 1);
  return true;
}

}  // namespace tailcap::capture
