#include "capture/stacks/scripts/script_frames.h"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "capture/stacks/scripts/php.h"
#include "capture/stacks/scripts/python.h"
#include "capture/stacks/scripts/script_codes.h"
#include "capture/stacks/scripts/v8.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::stacks {

namespace {

using formats::StackEnd;

// The program's frames: 'I' the interpreter, 'c' other code. Python's: 'e' an entry, 'C' one in C, 'p' another one. The
// result: the program's frames as they are, Python's as numbers.
std::string merged(const std::string& program, const std::string& python, StackEnd end = StackEnd::start,
                   bpf::script_end script_end = bpf::SCRIPT_END_WHOLE) {
  std::vector<bool> interpreters;
  for (const char c : program) interpreters.push_back(c == 'I');
  std::vector<std::uint64_t> numbers;
  for (const char c : python) numbers.push_back(0x100 | (c == 'e' ? SCRIPT_ENTRY : c == 'C' ? SCRIPT_IN_C : 0));
  std::string out;
  for (const MergedFrame& frame : merge_script(interpreters, numbers, script_end, end)) {
    if (frame.of == MergedFrame::Of::program) out += program[frame.index];
    if (frame.of == MergedFrame::Of::script) out += std::to_string(frame.index);
    if (frame.of == MergedFrame::Of::gap) out += '-';
    if (frame.of == MergedFrame::Of::cut) out += '*';
  }
  return out;
}

TEST(ScriptFrames, StandInPlaceOfTheInterpreter) {
  EXPECT_EQ(merged("cIcc", "e"), "c0cc");
  EXPECT_EQ(merged("cIccIc", "pepppe"), "c01cc2345c");
  EXPECT_EQ(merged("IIc", "ee"), "01c");
}

TEST(ScriptFrames, ACallThatHasNoFrameYetStaysTheInterpreter) {
  EXPECT_EQ(merged("IcIc", "pe"), "Ic01c");
  EXPECT_EQ(merged("cIcIc", "pe"), "cIcIc") << "another function is the innermost: the stacks do not fit";
}

TEST(ScriptFrames, StacksThatDoNotFitStayThePrograms) {
  EXPECT_EQ(merged("cIc", "ee"), "cIc");
  EXPECT_EQ(merged("cIcIcIc", "e"), "cIcIcIc");
  EXPECT_EQ(merged("cIc", "ep"), "cIc") << "the outermost frame is always an entry";
  EXPECT_EQ(merged("cIc", ""), "cIc");
  EXPECT_EQ(merged("cIc", "e", StackEnd::unknown), "cIc");
  EXPECT_EQ(merged("cIc", "e", StackEnd::start, bpf::SCRIPT_END_NONE), "cIc");
}

TEST(ScriptFrames, CallersBeyondTheProgramsStackAreKept) {
  EXPECT_EQ(merged("c", "pe", StackEnd::no_rule), "c-01");
  EXPECT_EQ(merged("cIc", "epe", StackEnd::cut), "c0c-12");
  EXPECT_EQ(merged("cIcIc", "e", StackEnd::no_rule), "cIcIc");
}

TEST(ScriptFrames, DeepStacksSayThatTheyAreCut) {
  EXPECT_EQ(merged("cIcIc", "epp", StackEnd::start, bpf::SCRIPT_END_CUT), "c0c12*c");
  EXPECT_EQ(merged("cIcIcIc", "epp", StackEnd::start, bpf::SCRIPT_END_CUT), "c0c12*cIc");
  EXPECT_EQ(merged("cIc", "epp", StackEnd::no_rule, bpf::SCRIPT_END_CUT), "c0c-12*");
}

TEST(ScriptFrames, FunctionsInCNeedNoInterpreter) {
  EXPECT_EQ(merged("cIcIc", "CeCpe"), "c01c234c");
  EXPECT_EQ(merged("cIcc", "peCC"), "c0123cc") << "the thread began in one";
  EXPECT_EQ(merged("cIcIc", "eeCC"), "c0c123c");
  EXPECT_EQ(merged("cIc", "epC"), "cIc") << "another one is no function in C";
  EXPECT_EQ(merged("cc", "CC"), "cc");
  EXPECT_EQ(merged("cIcIc", "epCC", StackEnd::start, bpf::SCRIPT_END_CUT), "c0c123*c");
}

TEST(ScriptFrames, OuterOnesMayBeOnAnotherStack) {
  EXPECT_EQ(merged("cIc", "pepe", StackEnd::start, bpf::SCRIPT_END_APART), "c01c-23");
  EXPECT_EQ(merged("cIcIcIc", "pepe", StackEnd::start, bpf::SCRIPT_END_APART), "cIcIcIc");
}

TEST(ScriptFrames, FunctionsWithFramesOfTheirOwnStandWhereThoseAre) {
  using Of = MergedFrame::Of;
  const std::vector<std::uint64_t> script = {0x100 | 1, 0x200 | 3, 0x300 | 9};
  EXPECT_EQ(place_script(4, script),
            (std::vector<MergedFrame>{{Of::program, 0}, {Of::script, 0}, {Of::program, 2}, {Of::script, 1}}));
}

bpf::script_text text_of(const std::string& bytes, std::uint8_t width, std::uint32_t characters) {
  bpf::script_text text{};
  text.size = static_cast<std::uint16_t>(bytes.size());
  text.width = width;
  text.characters = characters;
  std::memcpy(text.words, bytes.data(), bytes.size());
  return text;
}

bpf::script_text ascii(const std::string& bytes) { return text_of(bytes, 1, static_cast<std::uint32_t>(bytes.size())); }

std::vector<std::byte> code(std::uint64_t number, const bpf::script_text& name, const bpf::script_text& file,
                            std::uint32_t line = 5) {
  bpf::record_script_code r{};
  r.code = number;
  r.first_line = line;
  r.name = name;
  r.file = file;
  std::vector<std::byte> bytes(sizeof r);
  std::memcpy(bytes.data(), &r, sizeof r);
  return bytes;
}

std::string named(const bpf::script_text& name, const bpf::script_text& file) {
  ScriptCodes codes;
  return codes.take(code(0x200, name, file)) ? *codes.name(0x200) : "(not valid)";
}

TEST(ScriptCodes, AreNamedByFunctionFileAndLine) {
  EXPECT_EQ(named(ascii("Shop.render"), ascii("/srv/app/svc.py")), "Shop.render (svc.py:5)");
  EXPECT_EQ(named(ascii("f"), ascii("<string>")), "f (<string>:5)");
  EXPECT_EQ(named(ascii("load"), ascii("/usr/lib/python3.11/json/__init__.py")), "load (json/__init__.py:5)");
  EXPECT_EQ(named(ascii("load"), ascii("/__init__.py")), "load (__init__.py:5)");
  EXPECT_EQ(named(ascii("a;b\n"), ascii("c;d")), "a b  (c d:5)");
}

TEST(ScriptCodes, NamesInAnyAlphabet) {
  EXPECT_EQ(named(text_of("gr\xf6\xdf"
                          "e",
                          1, 5),
                  ascii("a.py")),
            "größe (a.py:5)");
  EXPECT_EQ(named(text_of(std::string("\x3a\x04\x03\xd8", 4), 2, 2), ascii("a.py")), "к\xef\xbf\xbd (a.py:5)");
  EXPECT_EQ(named(text_of(std::string("\x00\xf6\x01\x00", 4), 4, 1), ascii("a.py")), "\xf0\x9f\x98\x80 (a.py:5)");
}

TEST(ScriptCodes, LongNamesSayThatTheyAreCut) {
  const std::string most(SCRIPT_TEXT, 'x');
  EXPECT_EQ(named(text_of(most, 1, 500), ascii("a.py")), most + "... (a.py:5)");
  EXPECT_EQ(named(ascii("f"), text_of("ery/long/a.py", 1, 500)), "f (a.py:5)");
  EXPECT_EQ(named(ascii("f"), text_of("long.py", 1, 500)), "f (...long.py:5)");
  EXPECT_EQ(named(text_of(std::string(SCRIPT_TEXT, '\xe4'), 1, 500), ascii("a.py")).size(), 136 + 3 + 9u);
}

std::string php(const std::string& scope, const std::string& name, const std::string& file, std::uint32_t line) {
  bpf::record_script_code r{};
  r.code = 0x200;
  r.language = bpf::SCRIPT_PHP;
  r.first_line = line;
  const auto text = [](const std::string& bytes) {
    auto out = ascii(bytes);
    out.utf8 = true;
    return bytes.empty() ? bpf::script_text{} : out;
  };
  r.name = text(name);
  r.file = text(file);
  r.scope = text(scope);
  ScriptCodes codes;
  const auto* bytes = reinterpret_cast<const std::byte*>(&r);
  return codes.take({bytes, sizeof r}) ? *codes.name(0x200) : "(not valid)";
}

TEST(ScriptCodes, OfPhp) {
  EXPECT_EQ(php("", "render", "/srv/svc.php", 5), "render (svc.php:5)");
  EXPECT_EQ(php("App\\Shop", "größe", "/srv/shop/index.php", 5), "App\\Shop::größe (shop/index.php:5)");
  EXPECT_EQ(php("", "", "/srv/svc.php", 1), "{main} (svc.php:1)");
  EXPECT_EQ(php("PDO", "query", "", 0), "PDO::query");
  EXPECT_EQ(php("", "f", "/srv/a.php(12) : eval()'d code", 1), "f (a.php[12] eval:1)");
  EXPECT_EQ(php("", "\xff;", "/srv/a.php", 1), "\xef\xbf\xbd  (a.php:1)");
}

std::string javascript(const bpf::script_text& name, const bpf::script_text& file, std::uint32_t line) {
  bpf::record_script_code r{};
  r.code = 0x200;
  r.language = bpf::SCRIPT_V8;
  r.first_line = line;
  r.name = name;
  r.file = file;
  ScriptCodes codes;
  const auto* bytes = reinterpret_cast<const std::byte*>(&r);
  return codes.take({bytes, sizeof r}) ? *codes.name(0x200) : "(not valid)";
}

TEST(ScriptCodes, OfJavaScript) {
  EXPECT_EQ(javascript(ascii("render"), ascii("/srv/svc.js"), 5), "render (svc.js:5)");
  EXPECT_EQ(javascript(ascii("render"), ascii("/srv/shop/index.js"), 5), "render (shop/index.js:5)");
  EXPECT_EQ(javascript({}, ascii("file:///srv/svc.mjs"), 1), "{anonymous} (svc.mjs:1)");
  EXPECT_EQ(javascript(ascii("listOnTimeout"), ascii("node:internal/timers"), 5),
            "listOnTimeout (node:internal/timers:5)");
  EXPECT_EQ(javascript(ascii("f"), {}, 2), "f ({eval}:2)");
  EXPECT_EQ(javascript(ascii("f"), ascii("/srv/bundle.js"), 0), "f (bundle.js)") << "its line is not known";
}

symbols::ScriptPrograms v8_of(std::int32_t major, std::int32_t minor, std::size_t unsaid, std::int32_t variables = 3) {
  const std::int32_t said[] = {12, 24, 16, 32, 16, 8, 2065, 257, 256, 170, 128, -16, -8, variables, 12, 16};
  scan::Encoder out;
  out.number(major);
  out.number(minor);
  for (std::size_t i = 0; i < std::size(said); ++i) {
    out.number(i != unsaid);
    out.number(said[i]);
  }
  scan::Decoder in(out.bytes());
  symbols::ScriptPrograms programs;
  programs.v8 = symbols::V8Program::decode(in);
  EXPECT_TRUE(in.done());
  return programs;
}

TEST(V8Versions, OnlyThoseThatSayAllAreRead) {
  const auto process = kV8Language.process(v8_of(10, 2, 99), 0);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->v8.type_function, 2065);
  EXPECT_TRUE(kV8Language.process(v8_of(11, 3, 99), 0));
  for (std::size_t unsaid = 0; unsaid < symbols::V8Program::values; ++unsaid)
    EXPECT_FALSE(kV8Language.process(v8_of(10, 2, unsaid), 0)) << unsaid;
  EXPECT_FALSE(kV8Language.process(v8_of(12, 3, 99), 0));
  EXPECT_EQ(kV8Language.version(v8_of(12, 3, 99), ""), "V8 12.3");
}

TEST(V8Versions, WhatTheyDoNotSayIsKnownByVersion) {
  const auto oldest = kV8Language.process(v8_of(9, 4, symbols::V8Program::script_source), 0);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->v8.script_source, 8);
  EXPECT_EQ(oldest->v8.scope, V8_NAMES_WITHIN | V8_HAS_RECEIVER);
  ASSERT_TRUE(kV8Language.process(v8_of(12, 4, 99), 0));
  EXPECT_EQ(kV8Language.process(v8_of(12, 4, 99), 0)->v8.scope, 0);
  EXPECT_FALSE(kV8Language.process(v8_of(12, 4, 99, 5), 0)) << "its functions are arranged otherwise";
  ASSERT_TRUE(kV8Language.process(v8_of(13, 6, 99, 5), 0));
  EXPECT_EQ(kV8Language.process(v8_of(13, 6, 99, 5), 0)->v8.scope, V8_PLACE_FIRST);
  EXPECT_FALSE(kV8Language.process(v8_of(13, 6, 99), 0));
}

TEST(PhpVersions, OnlyThatWhoseStructuresWereSeenIsRead) {
  const auto program = [](std::uint32_t api, bool threads, bool debug) {
    scan::Encoder out;
    out.number(std::uint64_t{0x1000});
    out.number(api);
    out.number(threads);
    out.number(debug);
    scan::Decoder in(out.bytes());
    symbols::ScriptPrograms programs;
    programs.php = symbols::PhpProgram::decode(in);
    EXPECT_TRUE(in.done());
    return programs;
  };
  EXPECT_TRUE(kPhpLanguage.process(program(20220829, false, false), 0));
  for (const auto& other : {program(20220829, true, false), program(20220829, false, true),
                            program(20230831, false, false), program(0, false, false)})
    EXPECT_FALSE(kPhpLanguage.process(other, 0));
  EXPECT_EQ(kPhpLanguage.version(program(20230831, false, false), ""), "PHP 8.3");
  EXPECT_EQ(kPhpLanguage.version(program(20220829, true, false), ""), "PHP 8.2 with threads");
  EXPECT_EQ(kPhpLanguage.version(program(20330101, false, false), ""), "PHP API 20330101");
}

TEST(ScriptCodes, AStepOfTheInterpreterIsNoFunction) {
  ScriptCodes codes;
  ASSERT_TRUE(codes.take(code(0x200, ascii("__init__"), ascii("__init__"), 0)));
  EXPECT_EQ(*codes.name(0x200), "");
  ASSERT_TRUE(codes.take(code(0x400, ascii("__init__"), ascii("/srv/__init__.py"), 3)));
  EXPECT_EQ(*codes.name(0x400), "__init__ (srv/__init__.py:3)");
}

TEST(ScriptCodes, WhatIsNotValidHasNoName) {
  EXPECT_EQ(named(text_of("abc", 3, 1), ascii("a")), "(not valid)");
  EXPECT_EQ(named(text_of("abc", 2, 2), ascii("a")), "(not valid)");
  EXPECT_EQ(named(text_of("abc", 1, 2), ascii("a")), "(not valid)");
  auto large = ascii("abc");
  large.size = SCRIPT_TEXT + 1;
  large.characters = 1000;
  EXPECT_EQ(named(large, ascii("a")), "(not valid)");
  ScriptCodes codes;
  constexpr std::size_t kHead = offsetof(bpf::record_script_code, lines);
  const auto whole = code(0x200, ascii("f"), ascii("a"));
  EXPECT_FALSE(codes.take(std::span(whole).first(kHead - 1)));
  EXPECT_EQ(codes.name(0x200), nullptr);
  EXPECT_TRUE(codes.take(std::span(whole).first(kHead)));
  EXPECT_NE(codes.name(0x200), nullptr);
}

TEST(ScriptCodes, HaveTheLineOfAPlace) {
  bpf::record_script_code r{};
  r.code = 0x200;
  r.language = bpf::SCRIPT_PYTHON;
  r.first_line = 5;
  r.name = ascii("render");
  r.file = ascii("/srv/svc.py");
  r.lines_form = bpf::SCRIPT_LINES_RANGES;
  r.code_bytes = 12;
  const unsigned char table[] = {4, 1, 2, 3, 6, 0x80};  // lines 6 and 9, then none
  r.lines_size = sizeof table;
  std::memcpy(r.lines, table, sizeof table);
  const auto bytes = std::as_bytes(std::span(&r, 1));
  ScriptCodes codes;
  EXPECT_FALSE(codes.take(bytes.first(offsetof(bpf::record_script_code, lines) + sizeof table - 1)));
  ASSERT_TRUE(codes.take(bytes));
  EXPECT_EQ(codes.line(0x200, 1), "svc.py:6");
  EXPECT_EQ(codes.line(0x200, 5), "svc.py:9");
  EXPECT_EQ(codes.line(0x200, 7), "") << "code without a line";
  EXPECT_EQ(codes.line(0x200, 0), "") << "the place is not known";
  EXPECT_EQ(codes.line(0x200, UINT64_MAX), "");
  EXPECT_EQ(codes.line(0x400, 1), "");
  r.language = bpf::SCRIPT_RUBY;
  ASSERT_TRUE(codes.take(bytes));
  EXPECT_EQ(codes.line(0x200, 1), "") << "which line Ruby executes is not read";
}

TEST(ScriptCodes, OldTablesOfLinesMakeRoom) {
  ScriptCodes codes;
  bpf::record_script_code r{};
  r.name = ascii("f");
  r.file = ascii("a.py");
  r.code_bytes = 254 * SCRIPT_LINES / 2;
  r.lines_form = bpf::SCRIPT_LINES_RANGES;
  r.lines_size = SCRIPT_LINES;
  std::memset(r.lines, 1, sizeof r.lines);
  const auto bytes = std::as_bytes(std::span(&r, 1));
  constexpr std::size_t kMost = ScriptCodes::kMaxTables / SCRIPT_LINES;
  for (std::size_t i = 0; i < kMost + 10; ++i) {
    r.code = i << 8;
    ASSERT_TRUE(codes.take(bytes));
  }
  EXPECT_EQ(codes.size(), kMost);
  EXPECT_EQ(codes.name(0), nullptr);
  EXPECT_NE(codes.name((kMost + 9) << 8), nullptr);
}

TEST(ScriptCodes, ThoseNotUsedForLongMakeRoom) {
  ScriptCodes codes;
  const auto f = ascii("f"), file = ascii("a");
  for (std::uint64_t i = 0; i < ScriptCodes::kMaxCodes + 10; ++i) {
    ASSERT_TRUE(codes.take(code(2 * i, f, file, static_cast<std::uint32_t>(i))));
    ASSERT_NE(codes.name(0), nullptr);
  }
  EXPECT_EQ(codes.size(), ScriptCodes::kMaxCodes);
  EXPECT_EQ(codes.name(2), nullptr);
  EXPECT_NE(codes.name(0), nullptr);
}

// As a file says it. offsets: of 3.13.
symbols::PythonProgram program_of(std::uint32_t version, const std::optional<symbols::PythonOffsets>& offsets = {}) {
  scan::Encoder out;
  out.number(version);
  for (int i = 0; i < 3; ++i) out.number(std::uint64_t{0x1000});
  out.number(offsets.has_value());
  if (offsets) {
    using Offsets = symbols::PythonOffsets;
    for (const auto field : {&Offsets::runtime_interpreters,
                             &Offsets::interpreter_next,
                             &Offsets::interpreter_threads,
                             &Offsets::interpreter_holder,
                             &Offsets::thread_next,
                             &Offsets::thread_frame,
                             &Offsets::thread_id,
                             &Offsets::frame_previous,
                             &Offsets::frame_code,
                             &Offsets::frame_instruction,
                             &Offsets::frame_owner,
                             &Offsets::code_file,
                             &Offsets::code_name,
                             &Offsets::code_lines,
                             &Offsets::code_first_line,
                             &Offsets::code_begin,
                             &Offsets::object_type,
                             &Offsets::text_state,
                             &Offsets::text_length,
                             &Offsets::text_ascii})
      out.number((*offsets).*field);
  }
  scan::Decoder in(out.bytes());
  auto program = symbols::PythonProgram::decode(in);
  EXPECT_TRUE(in.done());
  return program;
}

// The offsets of 3.13.0.
symbols::PythonOffsets own_offsets() {
  return {632, 7264, 7344, 7760, 8, 72, 152, 8, 0, 56, 70, 112, 128, 136, 68, 200, 8, 32, 16, 40};
}

TEST(PythonLayouts, OnlyReleasesOfKnownVersionsAreRead) {
  for (const std::uint32_t version : {0x030800f0u, 0x030900f0u, 0x030a00f0u, 0x030b02f0u, 0x030c01f0u})
    EXPECT_TRUE(python_layout(program_of(version))) << std::hex << version;
  for (const std::uint32_t version : {0u, 0x030700f0u, 0x030b00a7u, 0x030c00b1u, 0x030e00f0u})
    EXPECT_FALSE(python_layout(program_of(version))) << std::hex << version;
}

TEST(PythonLayouts, TheNewestSaysItselfWhereItsFieldsAre) {
  EXPECT_FALSE(python_layout(program_of(0x030d00f0))) << "it says nothing";
  symbols::PythonOffsets own = own_offsets();
  own.interpreter_holder = 7784;
  own.thread_frame = 80;
  const auto layout = python_layout(program_of(0x030d05f0, own));
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->holder, 7784);
  EXPECT_EQ(layout->thread_frames, 80);
  EXPECT_EQ(layout->code_name, 128);
}

TEST(PythonLayouts, WhatTheKernelProgramCannotReadIsNotBelieved) {
  using Offsets = symbols::PythonOffsets;
  const std::pair<std::uint64_t Offsets::*, std::uint64_t> wrong[] = {{&Offsets::frame_code, 80},
                                                                      {&Offsets::frame_previous, 4},
                                                                      {&Offsets::frame_owner, 80},
                                                                      {&Offsets::code_name, 144},
                                                                      {&Offsets::code_file, UINT64_MAX},
                                                                      {&Offsets::code_first_line, 142},
                                                                      {&Offsets::frame_instruction, 80},
                                                                      {&Offsets::code_begin, 1 << 16},
                                                                      {&Offsets::thread_frame, 1 << 16},
                                                                      {&Offsets::object_type, 24},
                                                                      {&Offsets::text_state, 40},
                                                                      {&Offsets::text_ascii, 48},
                                                                      {&Offsets::interpreter_holder, UINT64_MAX - 7}};
  for (const auto& [field, value] : wrong) {
    symbols::PythonOffsets own = own_offsets();
    own.*field = value;
    EXPECT_FALSE(python_layout(program_of(0x030d00f0, own))) << value;
  }
}

TEST(PythonLayouts, AVersionThatIsNotReadIsNamed) {
  EXPECT_EQ(python_version({}, "[python3.6]"), "Python 3.6");
  EXPECT_EQ(python_version({}, "[libpython3.10.so.1.0]"), "Python 3.10");
  EXPECT_EQ(python_version({}, "[python]"), "Python");
  EXPECT_EQ(python_version({}, "[uwsgi]"), "Python");
  EXPECT_EQ(python_version(program_of(0x030e00f0), "[python]"), "Python 3.14");
  EXPECT_EQ(python_version(program_of(0x030b00a7), "[python]"), "Python 3.11 before its release");
  EXPECT_EQ(python_version(program_of(0x030d00f0), "[python]"), "Python 3.13 of an unusual build");
}

}  // namespace

}  // namespace tailcap::capture::stacks
