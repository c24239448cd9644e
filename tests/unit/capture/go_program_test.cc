// Probe places found in Go programs, both those built by this machine's compilers and raw bytes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "bpf/event.h"
#include "capture/go/handlers.h"
#include "capture/go/program.h"
#include "capture/host/shadow_stack_support.h"
#include "capture/symbols/go/go_strings.h"
#include "formats/event.h"
#include "tests/unit/capture/elf_image.h"

namespace tailcap::capture::go {
namespace {

namespace fs = std::filesystem;
using symbols::ElfFile;
using tailcap::testing::ElfImage;
using tailcap::testing::raw;

constexpr const char* kSource = R"(package main

import "runtime"

type request struct{ path string }
type handler interface{ ServeHTTP(r *request) int }
type cart struct{ items int }

//go:noinline
func deep(n int) int {
	if n == 0 {
		return 1
	}
	return n + deep(n-1)
}

//go:noinline
func (c *cart) ServeHTTP(r *request) int { return deep(len(r.path)) + c.items }

type value struct{ a, b int }

//go:noinline
func (v value) ServeHTTP(r *request) int { return v.a + deep(len(r.path)) }

//go:noinline
func _Cart_Get_Handler(n int) int { return deep(n) * 2 }

func main() {
	done, more := make(chan int), make(chan int, 2)
	go func() { done <- 1 }()
	select {
	case <-done:
	case more <- 2:
	}
	runtime.GC()
	var all = []handler{&cart{}, value{1, 2}}
	sum := _Cart_Get_Handler(len(all))
	for _, h := range all {
		sum += h.ServeHTTP(&request{"/"})
	}
	println(sum)
}
)";

// All parts except callers of the HTTP client, which the program does not use.
constexpr int kAllParts = 255 - static_cast<int>(formats::GoPart::calls);

std::map<std::string, std::string> compilers() {
  std::map<std::string, std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib", error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("go-1.") && fs::exists(entry.path() / "bin/go"))
      found[name.substr(3)] = entry.path() / "bin/go";
  }
  return found;
}

struct Built {
  std::string folder;
  Built() {
    folder = (fs::temp_directory_path() / "tailcap-go-XXXXXX").string();
    if (!mkdtemp(folder.data())) throw std::runtime_error("no folder");
    std::ofstream(folder + "/main.go") << kSource;
  }
  ~Built() { fs::remove_all(folder); }
  // Throws if the compiler fails.
  Program plan(const std::string& compiler, const std::string& options, bool states) const {
    const std::string command = "cd " + folder + " && CGO_ENABLED=0 GO111MODULE=off GOTOOLCHAIN=local " + compiler +
                                " build " + options + " -o program main.go >log 2>&1";
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
    return plan_program(ElfFile::open(folder + "/program"), 7, states);
  }
};

// The contents of a plan without its addresses.
std::set<std::string> places_of(const Program& program) {
  std::set<std::string> out;
  for (const auto& function : program.functions) {
    for (const auto& place : function.places)
      out.insert(function.name + " " + place.text.substr(place.text.find(':')) + " " +
                 std::to_string(place.probe.cookie));
  }
  return out;
}

std::string texts(const Program& program) {
  std::string out;
  for (const auto& text : places_of(program)) out += text + "\n";
  return out;
}

TEST(GoProgram, TheSameStrippedAndMovable) {
  const auto all = compilers();
  if (all.empty()) GTEST_SKIP() << "there is no Go compiler";
  const Built built;
  for (const auto& [version, compiler] : all) {
    const Program whole = built.plan(compiler, "", true);
    EXPECT_EQ(whole.unsupported, "") << version;
    EXPECT_EQ(whole.parts, kAllParts) << version;
    EXPECT_EQ(whole.layout.from, "DWARF") << version;
    EXPECT_EQ(release_of(whole.version), version);
    for (const auto& function : whole.functions)
      EXPECT_FALSE(function.places.empty()) << version << " " << function.name << ": " << function.reason;
    for (const char* name :
         {"runtime.newproc.func1", "runtime.gopark", "runtime.ready", "runtime.execute", "runtime.gcBgMarkStartWorkers",
          "runtime.gopanic", "runtime.fatalpanic", "runtime.throw", "runtime.fatal", "main.(*cart).ServeHTTP",
          "main.value.ServeHTTP", "main._Cart_Get_Handler"}) {
      const auto found =
          std::find_if(whole.functions.begin(), whole.functions.end(), [&](const auto& f) { return f.name == name; });
      ASSERT_NE(found, whole.functions.end()) << version << " " << name;
      ASSERT_EQ(found->places.size(), 1u) << version << " " << name;
      EXPECT_EQ(found->places[0].price, symbols::kernel_has_shadow_stacks() ? found->places[0].price : kEmulatedPrice)
          << version << " " << name << " " << found->places[0].text;
    }
    // Probes where values pass through channels; in select, at both ends of a buffer.
    for (const auto& [name, places] : std::map<std::string, std::size_t>{{"runtime.send", 1},
                                                                         {"runtime.recv", 1},
                                                                         {"runtime.chansend", 1},
                                                                         {"runtime.chanrecv", 1},
                                                                         {"runtime.selectgo", 2}}) {
      const auto found =
          std::find_if(whole.functions.begin(), whole.functions.end(), [&](const auto& f) { return f.name == name; });
      ASSERT_NE(found, whole.functions.end()) << version << " " << name;
      ASSERT_EQ(found->places.size(), places) << version << " " << name;
      for (const auto& place : found->places) {
        EXPECT_EQ(place.probe.program, FunctionProgram::channel);
        EXPECT_EQ(place.price, kEmulatedPrice) << version << " " << name << " " << place.text;
        EXPECT_EQ(GO_COOKIE_NUMBER(place.probe.cookie),
                  version >= "1.23" ? GO_CHANNEL_NUMBER(96, 48) : GO_CHANNEL_NUMBER(88, 40))
            << version;
      }
    }
    EXPECT_EQ(whole.wait_reasons.at(1), "GC assist marking") << version;
    EXPECT_NE(std::find(whole.wait_reasons.begin(), whole.wait_reasons.end(), "chan receive"),
              whole.wait_reasons.end());
    EXPECT_EQ(whole.stop_reasons.empty(), version == "1.19") << version;
    for (const std::string options : {"-ldflags='-s -w'", "-buildmode=pie", "-buildmode=pie -ldflags='-s -w'"}) {
      const Program other = built.plan(compiler, options, true);
      const std::string what = version + " " + options;
      EXPECT_EQ(texts(other), texts(whole)) << what;
      EXPECT_EQ(other.parts, whole.parts) << what;
      EXPECT_EQ(other.unsupported, "") << what;
      EXPECT_EQ(other.layout.from, options.find("-s -w") == options.npos ? "DWARF" : "table") << what;
      EXPECT_EQ(other.layout.number, whole.layout.number) << what;
      EXPECT_EQ(other.layout.parent, whole.layout.parent) << what;
      EXPECT_EQ(other.layout.slot, whole.layout.slot) << what;
      EXPECT_EQ(other.layout.thread, whole.layout.thread) << what;
      EXPECT_EQ(other.layout.current, whole.layout.current) << what;
      // Memory behind the arrays may look like more elements.
      const auto same = [](const auto& a, const auto& b) {
        return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(a.size(), 17)),
                          b.begin());
      };
      EXPECT_TRUE(same(whole.wait_reasons, other.wait_reasons)) << what;
      EXPECT_EQ(whole.stop_reasons.size(), other.stop_reasons.size()) << what;
    }
  }
}

// An unknown version without debugging information: the plan lacks only what cannot be determined, and names it.
TEST(GoProgram, UnknownVersionsAreNotGuessed) {
  const auto all = compilers();
  if (all.empty()) GTEST_SKIP() << "there is no Go compiler";
  const Built built;
  const Program known = built.plan(all.rbegin()->second, "-ldflags='-s -w'", true);
  std::ifstream in(built.folder + "/program", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::string other = known.version;
  other.replace(4, 2, "87");
  for (auto at = bytes.find(known.version); at != bytes.npos; at = bytes.find(known.version, at))
    bytes.replace(at, other.size(), other);
  const Program program = plan_program(ElfFile::from_bytes(bytes, "shop"), 1, true);
  EXPECT_EQ(program.version, other);
  EXPECT_EQ(program.unsupported, "goroutines: " + other + " is not in the table, and the program has no DWARF");
  EXPECT_EQ(program.layout.number, 0);
  EXPECT_EQ(program.layout.from, "");
  EXPECT_EQ(program.parts, static_cast<int>(formats::GoPart::runtime) | static_cast<int>(formats::GoPart::handlers) |
                               static_cast<int>(formats::GoPart::panics));
}

TEST(GoProgram, StatesOnlyWhereAskedFor) {
  const auto all = compilers();
  if (all.empty()) GTEST_SKIP() << "there is no Go compiler";
  const Program program = Built().plan(all.begin()->second, "-ldflags='-s -w'", false);
  EXPECT_EQ(program.parts, kAllParts - static_cast<int>(formats::GoPart::states));
  for (const auto& function : program.functions) EXPECT_NE(function.name, "runtime.gopark");
}

TEST(GoProgram, CookiesSayWhatAndWhere) {
  const auto all = compilers();
  if (all.empty()) GTEST_SKIP() << "there is no Go compiler";
  const Program program = Built().plan(all.begin()->second, "", false);
  std::set<std::uint64_t> acts;
  for (const auto& function : program.functions) {
    for (const auto& place : function.places) {
      EXPECT_EQ(place.probe.program, FunctionProgram::runtime);
      EXPECT_EQ(GO_COOKIE_FILE(place.probe.cookie), 7u);
      acts.insert(GO_COOKIE_ACT(place.probe.cookie));
      const auto act = GO_COOKIE_ACT(place.probe.cookie);
      if (act >= bpf::GO_PANICS && act <= bpf::GO_THROWN) {
        // The panicking function is found behind the stack pointer. Old compilers reserve stack at once in functions
        // without a stack check.
        EXPECT_TRUE(act != bpf::GO_PANICS || place.probe.cookie & GO_AT_CALL) << function.name;
        EXPECT_LT(GO_COOKIE_NUMBER(place.probe.cookie), program.anchors.size()) << function.name;
      }
      if (act != bpf::GO_HANDLER && act != bpf::GO_HANDLER_METHOD) continue;
      const auto number = GO_COOKIE_NUMBER(place.probe.cookie);
      ASSERT_LT(number, program.handlers.size());
      EXPECT_EQ(program.handlers[number].name, function.name);
      EXPECT_GT(program.handlers[number].place, program.handlers[number].function);
    }
  }
  EXPECT_EQ(acts, (std::set<std::uint64_t>{bpf::GO_MADE, bpf::GO_PHASE, bpf::GO_ASSIST, bpf::GO_HANDLER,
                                           bpf::GO_HANDLER_METHOD, bpf::GO_ENDED, bpf::GO_PANICS, bpf::GO_FATAL,
                                           bpf::GO_THROWN}));
}

TEST(GoProgram, NoGo) {
  const Program program = plan_program(ElfFile::open("/proc/self/exe"), 1, true);
  EXPECT_EQ(program.parts, 0);
  EXPECT_NE(program.unsupported.find("no Go function table"), std::string::npos) << program.unsupported;
  EXPECT_TRUE(program.functions.empty());
}

TEST(GoRelease, OnlyReleasesAreInTheTable) {
  EXPECT_EQ(release_of("go1.22.3"), "1.22");
  EXPECT_EQ(release_of("go1.21"), "1.21");
  EXPECT_EQ(release_of("go1.24.2 X:nocoverageredesign"), "1.24");
  for (const char* other :
       {"", "go1.22rc1", "go1.23-20240626-RC01", "devel go1.24-1234", "devel +abc", "go2.1", "gccgo 12"})
    EXPECT_EQ(release_of(other), "") << other;
}

TEST(GoHandlers, GrpcNames) {
  EXPECT_TRUE(is_grpc_handler("example.org/pb._Cart_Get_Handler"));
  EXPECT_TRUE(is_grpc_handler("example.org/v1.2/pb._Cart_GetAll_Handler"));
  EXPECT_TRUE(is_grpc_handler("main._A_B_Handler"));
  for (const char* other : {"example.org/pb._Cart_Get_Handler.func1", "main._Handler", "main._Cart_Handler",
                            "main.Cart_Get_Handler", "_Cart_Get_Handler", "", "main.", "main.(*T)._Cart_Get_Handler"})
    EXPECT_FALSE(is_grpc_handler(other)) << other;
}

TEST(GoStrings, ArraysAreFoundByHowTheyBegin) {
  static constexpr std::string_view kBeginning[] = {"", "GC assist marking"};
  for (const bool moved : {false, true}) {
    ElfImage image(moved ? ET_DYN : ET_EXEC);
    const std::string all = "GC assist markingIO waitchan receive";
    const std::uint64_t texts = image.address(image.add(".rodata", SHT_PROGBITS, SHF_ALLOC, all));
    std::string array = raw(std::uint64_t{99}), relocations;  // unrelated data first
    const std::uint64_t at = image.next_address();
    const auto entry = [&](std::uint64_t offset, std::uint64_t length) {
      if (moved && length)
        relocations += raw(Elf64_Rela{at + array.size(), ELF64_R_INFO(0, R_X86_64_RELATIVE),
                                      static_cast<Elf64_Sxword>(texts + offset)});
      array += raw(moved || !length ? std::uint64_t{0} : texts + offset) + raw(length);
    };
    entry(0, 0);
    entry(0, 17);
    entry(17, 7);
    entry(24, 12);
    array += raw(std::uint64_t{1} << 40) + raw(std::uint64_t{3});  // outside the text section
    ASSERT_EQ(image.address(image.add(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, array)), at);
    if (moved) image.add(".rela.dyn", SHT_RELA, SHF_ALLOC, relocations);
    const auto found = symbols::go_string_array(ElfFile::from_bytes(image.bytes(), "x"), kBeginning);
    EXPECT_EQ(found, (std::vector<std::string>{"", "GC assist marking", "IO wait", "chan receive"})) << moved;
  }
}

TEST(GoStrings, VersionFromCode) {
  ElfImage image;
  const std::uint64_t text = image.address(image.add(".rodata", SHT_PROGBITS, SHF_ALLOC, "go1.25.7"));
  const std::uint64_t header =
      image.address(image.add(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, raw(text) + raw(std::uint64_t{8})));
  const std::uint64_t address = ElfImage::kBase + 0x10;
  const auto compare = [&](std::uint64_t length_at) {
    const auto distance = static_cast<std::int32_t>(length_at - (address + 2) - 8);
    return std::string("\x90\x90\x48\x83\x3d", 5) + raw(distance) + std::string(1, '\0');
  };
  const ElfFile file = ElfFile::from_bytes(image.bytes(), "x");
  EXPECT_EQ(symbols::go_version_from_code(file, compare(header + 8), address), "go1.25.7");
  EXPECT_EQ(symbols::go_version_from_code(file, compare(header), address), "");
  EXPECT_EQ(symbols::go_version_from_code(file, compare(header + 8).substr(0, 9), address), "");
  EXPECT_EQ(symbols::go_version_from_code(file, "", address), "");
}

}  // namespace
}  // namespace tailcap::capture::go
