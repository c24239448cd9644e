#include "analyze/views/compare/software.h"

#include <gtest/gtest.h>

namespace tailcap {
namespace {

using model::gate::GoProgram;
using views::go_program_of;
using views::SoftwareReader;
using Modules = std::map<std::string, std::string>;

TEST(Software, ReadsWhatGoVersionPrints) {
  std::string name;
  const GoProgram program = go_program_of(
      "path\texample.org/shop/cmd\nmod\texample.org/shop\t(devel)\t\ndep\tgoogle.golang.org/grpc\tv1.33.3\th1:a=\n"
      "dep\texample.org/prices\tv1.2.3\n=>\t../prices\t(devel)\t\ndep\ta.org/b\tv1.0.0\th1:b=\n=>\tc.org/"
      "d\tv2.0.0\th1:c=\n"
      "build\t-compiler=gc\nbuild\tvcs=git\nbuild\tvcs.revision=3f2a\nbuild\tvcs.time=2026-01-01T00:00:00Z\n"
      "build\tvcs.modified=true",
      "/srv/new/shop", name);
  EXPECT_EQ("example.org/shop/cmd", name);
  EXPECT_EQ("3f2a modified", program.revision);
  EXPECT_EQ((Modules{{"example.org/shop", "(devel)"},
                     {"google.golang.org/grpc", "v1.33.3"},
                     {"example.org/prices", "v1.2.3 => ../prices (devel)"},
                     {"a.org/b", "v1.0.0 => c.org/d v2.0.0"}}),
            program.modules);
}

TEST(Software, HasTheNameOfItsFileWhereItsPackageHasNone) {
  std::string name;
  go_program_of("path\tcommand-line-arguments\nbuild\tvcs.modified=true\n", "/srv/shop", name);
  EXPECT_EQ("shop", name);
  EXPECT_EQ("", go_program_of("build\tvcs.modified=true", "shop", name).revision);
  EXPECT_EQ("shop", name);
}

TEST(Software, TakesAnyLines) {
  std::string name;
  for (const char* lines : {"", "\n\n", "\t", "=>\tx\ty", "dep", "dep\t", "mod\t\t\t\n=>", "path\t", "build",
                            "build\t=", "dep\ta\n=>\n=>\tb"})
    go_program_of(lines, "", name);
  EXPECT_EQ((Modules{{"a", "v1 => b"}}), go_program_of("dep\ta\tv1\n=>\tb\n=>\tc", "", name).modules);
}

formats::Event recorded(std::uint32_t pid, formats::Body body) {
  formats::Event event;
  event.thread.pid = pid;
  event.body = std::move(body);
  return event;
}

TEST(Software, KeepsEachBuildOnce) {
  SoftwareReader reader;
  const std::string_view lines = "path\texample.org/shop\n";
  for (const std::uint32_t pid : {10u, 11u, 10u}) {
    reader.push(recorded(pid, formats::GoProgram{.path = "/srv/shop", .version = "go1.22.3"}));
    reader.push(recorded(pid, formats::GoBuild{.path = "/srv/shop", .lines = lines}));
    reader.push(recorded(pid, formats::Mapping{.path = "/srv/shop", .build_id = "\x12\xab"}));
    reader.push(recorded(pid, formats::Mapping{.path = "/srv/other"}));
  }
  const auto& software = reader.software();
  ASSERT_EQ(1u, software.go.size());
  ASSERT_EQ(1u, software.go.at("example.org/shop").size());
  EXPECT_EQ("go1.22.3", software.go.at("example.org/shop")[0].version);
  EXPECT_EQ((std::map<std::string, std::set<std::string>>{{"shop", {"12ab"}}}), software.build_ids);
}

}  // namespace
}  // namespace tailcap
