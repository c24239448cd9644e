// The control socket beside the file: which users may connect, its answers, and that nothing is left behind.
#include "capture/control/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "capture/control/note.h"

namespace tailcap::capture::control_test {
namespace {

namespace fs = std::filesystem;

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    char name[] = "/tmp/tailcap-control-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ControlTest() override {
    for (const int caller : callers_) close(caller);
    fs::remove_all(folder_);
  }
  int connected(const std::string& path) {
    const int place = open(path.c_str(), O_PATH | O_CLOEXEC);
    const int caller = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place);
    const int failed = connect(caller, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    close(place);
    callers_.push_back(caller);
    return failed == 0 ? caller : -1;
  }
  int said(const std::string& file, const std::string& text) {
    const int caller = connected(file + ".control");
    EXPECT_GE(caller, 0);
    EXPECT_EQ(send(caller, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    return caller;
  }
  static std::string heard(int caller) {
    char text[8192];
    const ssize_t length = recv(caller, text, sizeof text, MSG_DONTWAIT);
    return length < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(length));
  }
  std::string file() const { return folder_ + "/x.tcap"; }

  std::string folder_;
  std::vector<int> callers_;
};

TEST_F(ControlTest, a_command_is_heard_and_answered_once) {
  Control control(file());
  EXPECT_FALSE(control.next());
  const int caller = said(file(), "note deploy=v2 of today");
  const auto command = control.next();
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "note");
  EXPECT_EQ(command->argument, "deploy=v2 of today");
  EXPECT_EQ(heard(caller), "nothing");
  control.answer(Obeyed::done, "noted");
  EXPECT_EQ(heard(caller), "done noted");
  EXPECT_EQ(heard(caller), "") << "the connection is over";
  EXPECT_FALSE(control.next());
}

TEST_F(ControlTest, commands_are_heard_in_their_order) {
  Control control(file());
  for (const char* text : {"a", "b 1", "c 2 3"}) said(file(), text);
  for (const char* name : {"a", "b", "c"}) {
    const auto command = control.next();
    ASSERT_TRUE(command);
    EXPECT_EQ(command->name, name);
    control.answer(Obeyed::failed, "no");
  }
}

TEST_F(ControlTest, only_its_owner_may_connect) {
  Control control(file());
  struct stat is {};
  ASSERT_EQ(lstat((file() + ".control").c_str(), &is), 0);
  EXPECT_TRUE(S_ISSOCK(is.st_mode));
  EXPECT_EQ(is.st_mode & 07777, 0600u);
}

TEST_F(ControlTest, is_gone_afterwards_and_leaves_nothing) {
  { Control control(file()); }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ControlTest, replaces_what_a_killed_recorder_left) {
  const int old = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s.control", file().c_str());
  ASSERT_EQ(bind(old, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(old);
  Control control(file());
  said(file(), "note a=b");
  EXPECT_TRUE(control.next());
  control.answer(Obeyed::done, "");
}

TEST_F(ControlTest, leaves_alone_what_is_no_socket) {
  std::ofstream(file() + ".control") << "mine";
  EXPECT_THROW(Control control(file()), std::runtime_error);
  std::string left;
  std::ifstream(file() + ".control") >> left;
  EXPECT_EQ(left, "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(ControlTest, a_link_is_not_followed) {
  fs::create_symlink(folder_ + "/elsewhere", file() + ".control");
  EXPECT_THROW(Control control(file()), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder_ + "/elsewhere"));
}

TEST_F(ControlTest, names_may_be_long) {
  std::string deep = folder_;
  for (int i = 0; i < 3; i++) deep += "/" + std::string(100, static_cast<char>('a' + i));
  fs::create_directories(deep);
  const std::string file = deep + "/" + std::string(240, 'f');
  Control control(file);
  const int caller = said(file, "note a=b");
  ASSERT_TRUE(control.next());
  control.answer(Obeyed::done, "heard");
  EXPECT_EQ(heard(caller), "done heard");
}

TEST_F(ControlTest, no_such_folder_says_so) {
  try {
    Control control(folder_ + "/none/x.tcap");
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string(e.what()).find("/none/x.tcap.control"), std::string::npos) << e.what();
  }
}

TEST_F(ControlTest, whoever_says_nothing_is_dropped_for_those_who_speak) {
  Control control(file());
  std::vector<int> silent;
  for (int i = 0; i < 20; i++) {
    silent.push_back(connected(file() + ".control"));
    ASSERT_GE(silent.back(), 0);
    EXPECT_FALSE(control.next());
  }
  EXPECT_EQ(heard(silent.front()), "");
  const int caller = said(file(), "note a=b");
  ASSERT_TRUE(control.next());
  control.answer(Obeyed::done, "heard");
  EXPECT_EQ(heard(caller), "done heard");
}

TEST_F(ControlTest, too_long_a_command_is_refused_and_an_empty_one_is_none) {
  Control control(file());
  const int long_one = said(file(), "note a=" + std::string(kCommandBytes, 'x'));
  EXPECT_FALSE(control.next());
  EXPECT_EQ(heard(long_one).substr(0, 5), "usage");
  close(connected(file() + ".control"));
  EXPECT_FALSE(control.next());
}

TEST_F(ControlTest, a_caller_that_has_gone_does_not_matter) {
  Control control(file());
  close(said(file(), "note a=b"));
  callers_.pop_back();
  ASSERT_TRUE(control.next());
  control.answer(Obeyed::done, "heard");
  EXPECT_FALSE(control.next());
}

TEST(Note, has_a_key_and_a_value) {
  EXPECT_EQ(parse_note("deploy=v2"), (std::pair<std::string, std::string>("deploy", "v2")));
  EXPECT_EQ(parse_note("a=b=c"), (std::pair<std::string, std::string>("a", "b=c")));
  EXPECT_EQ(parse_note("a="), (std::pair<std::string, std::string>("a", "")));
  EXPECT_FALSE(parse_note("=v2"));
  EXPECT_FALSE(parse_note("deploy"));
}

TEST(Note, is_one_line_of_bounded_length) {
  EXPECT_EQ(objection_to({"deploy", "v2 — größer"}), "");
  EXPECT_NE(objection_to({std::string(kNoteKey + 1, 'k'), ""}), "");
  EXPECT_NE(objection_to({"k", std::string(kNoteValue + 1, 'v')}), "");
  EXPECT_NE(objection_to({"k", "two\nlines"}), "");
  EXPECT_NE(objection_to({"k\x1b[2J", "v"}), "");
}

}  // namespace
}  // namespace tailcap::capture::control_test
