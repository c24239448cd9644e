#include "capture/targets/running.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace tailcap::capture::targets {
namespace {

const std::string kId(64, 'a');

Running one(std::uint32_t pid, std::uint32_t parent, std::string comm, std::string executable,
            std::string service = {}) {
  Running out;
  out.pid = pid;
  out.parent = parent;
  out.comm = std::move(comm);
  out.executable = std::move(executable);
  out.service = std::move(service);
  return out;
}

std::vector<Running> machine() {
  std::vector<Running> all = {one(1, 0, "systemd", "/usr/lib/systemd/systemd"),
                              one(100, 1, "python3", "/usr/bin/python3.11", "gunicorn app:app"),
                              one(101, 100, "python3", "/usr/bin/python3.11", "gunicorn app:app"),
                              one(200, 1, "node", "/usr/bin/node", "server.js"),
                              one(300, 1, "nginx", "/usr/sbin/nginx"),
                              one(301, 300, "nginx", "/usr/sbin/nginx"),
                              one(400, 1, "redis-server", "/usr/bin/redis-server")};
  all[4].unit = all[5].unit = "web";
  all[4].unified = all[5].unified = "/system.slice/web.service";
  all[6].container = kId;
  all[6].containers = {"cache", "cache-0", "cache-0/cache"};
  all[6].unified = "/kubepods/cri-containerd-" + kId + ".scope/inner";
  return all;
}

std::vector<std::uint32_t> chosen(std::string service) {
  Selection selection;
  selection.services = {std::move(service)};
  choose(selection, machine(), "");
  return selection.pids;
}

std::string refused(Selection selection) {
  try {
    choose(selection, machine(), "");
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(Running, AServiceIsWhatAnInterpreterRuns) {
  EXPECT_EQ(chosen("gunicorn"), std::vector<std::uint32_t>{100});  // its workers are below it
  EXPECT_EQ(chosen("gunicorn app:app"), std::vector<std::uint32_t>{100});
  EXPECT_EQ(chosen("server.js"), std::vector<std::uint32_t>{200});
  EXPECT_EQ(chosen("server"), std::vector<std::uint32_t>{200});
}

TEST(Running, AServiceIsAProgramAUnitOrAContainer) {
  EXPECT_EQ(chosen("nginx"), std::vector<std::uint32_t>{300});
  EXPECT_EQ(chosen("/usr/sbin/nginx"), std::vector<std::uint32_t>{300});
  EXPECT_EQ(chosen("web"), std::vector<std::uint32_t>{300});
  EXPECT_EQ(chosen("web.service"), std::vector<std::uint32_t>{300});
  EXPECT_EQ(chosen("cache"), std::vector<std::uint32_t>{400});
  EXPECT_EQ(chosen("cache-0/cache"), std::vector<std::uint32_t>{400});
  EXPECT_EQ(chosen(kId.substr(0, 12)), std::vector<std::uint32_t>{400});
}

TEST(Running, UnitsAndContainersAreOnlyThose) {
  Selection selection;
  selection.units = {"nginx"};
  EXPECT_EQ(refused(selection), "no process is of the unit nginx; a program runs nginx as 300, 301: --service nginx");
  selection.units = {};
  selection.containers = {"aaaa"};  // shorter than people name them
  EXPECT_NE(refused(selection).find("no process is of the container aaaa"), std::string::npos);
}

TEST(Running, AWrongNameIsAnsweredWithWhatWasFound) {
  Selection selection;
  selection.services = {"gunicron"};
  EXPECT_EQ(refused(selection), "no process is of the service gunicron; there is gunicorn: --service gunicorn");
  selection.services = {"zzzzzzzz"};
  EXPECT_EQ(refused(selection), "no process is of the service zzzzzzzz; interpreters run gunicorn, server.js");
  selection = {};
  selection.comms = {"gunicorn"};
  const auto doubts = doubts_of_names(selection, machine());
  ASSERT_EQ(doubts.size(), 1u);
  EXPECT_EQ(doubts[0], "no process is called gunicorn now; python3.11 runs gunicorn as 100, 101: --service gunicorn");
  selection.comms = {"python3"};
  EXPECT_TRUE(doubts_of_names(selection, machine()).empty());
}

}  // namespace
}  // namespace tailcap::capture::targets
