// Changes: notes, and programs that take over an address.
#include <gtest/gtest.h>

#include <string>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/sections/changes.h"
#include "tests/synth/scenario.h"

namespace tailcap::tests {
namespace {

using namespace std::chrono_literals;
using model::ChangeKind;
using synth::Duration;
using synth::Scenario;

void serve(Scenario& s, Duration at, std::uint32_t pid, const std::string& local = "10.0.0.1:80") {
  static int port = 40000;
  synth::Opening opening;
  opening.thread = {pid, pid};
  opening.local = local;
  opening.remote = "10.0.0.2:" + std::to_string(port++);
  auto& end = s.open(at, opening);
  end.receive(at, at + 10us, "GET /cart HTTP/1.1\r\nhost: a\r\n\r\n");
  end.send(at + 1ms, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  end.close(at + 2ms);
}

void program(Scenario& s, Duration at, std::uint32_t pid, const std::string& comm, const std::string& file,
             const std::string& build, bool exec) {
  if (exec) s.add(at, {pid, pid}, formats::TaskExec{s.own(comm), s.own(file)});
  formats::TaskInfo info;
  info.comm = s.own(comm);
  info.executable = s.own(file);
  s.add(at + 1us, {pid, pid}, info);
  s.add(at + 2us, {pid, pid}, formats::Mapping{0x400000, 0x500000, 0, "/lib/libc.so", "\x01\x02"});
  s.add(at + 3us, {pid, pid}, formats::Mapping{0x400000, 0x500000, 0, s.own(file), s.own(build)});
}

std::vector<model::Change> changes_of(const Scenario& s) {
  return pipeline::analyze({}, s.with_end()).study.changes.changes;
}

TEST(ChangeMarks, NotesAreChangesInOrderOfTime) {
  Scenario s;
  serve(s, 1s, 100);
  s.add(3s, {}, formats::Note{"config", "b"});
  s.add(2s, {}, formats::Note{"deploy", "v2"});
  s.add(2500ms, {}, formats::Note{"tailcap.stacks", "on"});  // the recorder's own does not count
  const auto found = changes_of(s);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key, "deploy");
  EXPECT_EQ(found[0].value, "v2");
  EXPECT_EQ(found[0].at, synth::kStart + 2s);
  EXPECT_EQ(found[0].kind, ChangeKind::note);
  EXPECT_EQ(found[1].key, "config");
}

TEST(ChangeMarks, ANewBuildAtTheSameAddress) {
  Scenario s;
  program(s, 0s, 100, "shop", "/srv/v1/shop", "\xaa\xbb", false);
  serve(s, 1s, 100);
  program(s, 2s, 200, "shop", "/srv/v2/shop", "\xcc\xdd", true);
  serve(s, 3s, 200);
  const auto found = changes_of(s);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, ChangeKind::build);
  EXPECT_EQ(found[0].at, synth::kStart + 2s);
  EXPECT_EQ(found[0].build_before, "aabb");
  EXPECT_EQ(found[0].build_after, "ccdd");
  EXPECT_EQ(found[0].comm, "shop");
  EXPECT_EQ(found[0].address, "10.0.0.1:80");
  EXPECT_EQ(found[0].pid, 200u);
}

TEST(ChangeMarks, TheSameBuildIsARestart) {
  Scenario s;
  program(s, 0s, 100, "shop", "/srv/shop", "\xaa\xbb", false);
  serve(s, 1s, 100);
  program(s, 2s, 200, "shop", "/srv/shop", "\xaa\xbb", true);
  serve(s, 3s, 200);
  const auto found = changes_of(s);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, ChangeKind::restart);
  EXPECT_EQ(found[0].build_before, found[0].build_after);
}

TEST(ChangeMarks, GoProgramsAreToldApartByTheirRevision) {
  Scenario s;
  for (const auto& [pid, lines] : {std::pair{100u, "path\tshop\nbuild\tvcs.revision=aaaa\n"},
                                   std::pair{200u, "path\tshop\nbuild\tvcs.revision=bbbb\nbuild\tx=y\n"}}) {
    const Duration at = pid == 100 ? 0s : 2s;
    program(s, at, pid, "shop", "/srv/shop", "", pid == 200);
    s.add(at + 1ms, {pid, pid}, formats::GoBuild{"/srv/shop", lines});
    serve(s, at + 1s, pid);
  }
  const auto found = changes_of(s);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, ChangeKind::build);
  EXPECT_EQ(found[0].build_before, "aaaa");
  EXPECT_EQ(found[0].build_after, "bbbb");
}

TEST(ChangeMarks, AnExecInPlaceCountsWithItsWorkers) {
  Scenario s;
  program(s, 0s, 100, "shop", "/srv/shop", "\xaa", false);
  s.start(500ms, {101, 101}, {100, 100}, "shop");
  serve(s, 1s, 101);
  program(s, 2s, 100, "shop", "/srv/shop", "\xbb", true);
  s.start(2500ms, {102, 102}, {100, 100}, "shop");
  s.start(2600ms, {103, 103}, {100, 100}, "shop");
  serve(s, 3s, 102);
  serve(s, 4s, 103);
  const auto found = changes_of(s);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, ChangeKind::build);
  EXPECT_EQ(found[0].at, synth::kStart + 2s);
}

TEST(ChangeMarks, OtherServicesAndForkedWorkersAreNone) {
  Scenario s;
  program(s, 0s, 100, "shop", "/srv/shop", "\xaa", false);
  serve(s, 1s, 100);
  program(s, 2s, 200, "python3", "/usr/bin/python3", "\xcc", true);  // another service, running in parallel
  serve(s, 3s, 200, "10.0.0.1:81");
  program(s, 4s, 300, "nginx", "/usr/sbin/nginx", "\xdd", true);  // another program at its address
  serve(s, 5s, 300);
  s.start(6s, {101, 101}, {100, 100}, "shop");
  serve(s, 7s, 101);
  program(s, 8s, 400, "shop", "/srv/shop", "\xee", true);  // serves no requests
  EXPECT_TRUE(changes_of(s).empty());
}

TEST(ChangeMarks, SeveralInstancesOneAfterTheOtherAreOne) {
  Scenario s;
  program(s, 0s, 100, "shop", "/srv/shop", "\xaa", false);
  serve(s, 1s, 100);
  for (std::uint32_t pid : {200u, 201u, 202u}) {
    program(s, 2s + Duration{pid} * 1'000'000, pid, "shop", "/srv/shop", "\xbb", true);
    serve(s, 3s + Duration{pid} * 1'000'000, pid);
  }
  EXPECT_EQ(changes_of(s).size(), 1u);
}

TEST(ChangeMarks, OnlyTheLastNotesAreKept) {
  Scenario s;
  serve(s, 1ms, 100);
  for (int i = 0; i < 1030; ++i) s.add(2ms * (i + 1), {}, formats::Note{"n", s.own(std::to_string(i))});
  const auto study = pipeline::analyze({}, s.with_end()).study;
  ASSERT_EQ(study.changes.changes.size(), 1024u);
  EXPECT_EQ(study.changes.left_out, 6u);
  EXPECT_EQ(study.changes.changes.front().value, "6");
  EXPECT_EQ(study.changes.changes.back().value, "1029");
  EXPECT_LE(report::change_lines(study).size(), 25u);
}

TEST(ChangeMarks, NotesArePrintedAsWhatTheyAre) {
  Scenario s;
  serve(s, 1s, 100);
  serve(s, 4s, 100);
  s.add(2s, {}, formats::Note{"deploy\x1b[2J", "<b>v2</b>"});
  const auto lines = report::change_lines(pipeline::analyze({}, s.with_end()).study);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find('\x1b'), std::string::npos);
  EXPECT_NE(lines[0].find("<b>v2</b>"), std::string::npos) << "escaped for HTML by the page";
  EXPECT_NE(lines[0].find("too little to compare"), std::string::npos) << lines[0];
}

}  // namespace
}  // namespace tailcap::tests
