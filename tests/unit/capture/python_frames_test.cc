#include "capture/stacks/python_frames.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "capture/stacks/python_codes.h"
#include "capture/stacks/python_processes.h"

namespace tailcap::capture::stacks {

namespace {

using formats::StackEnd;

// The program's frames: 'I' the interpreter, 'c' other code. Python's: 'e' an entry, 'p' another one. The result: the
// program's frames as they are, Python's as numbers.
std::string merged(const std::string& program, const std::string& python, StackEnd end = StackEnd::start,
                   bpf::python_end python_end = bpf::PYTHON_END_WHOLE) {
  std::vector<bool> interpreters;
  for (const char c : program) interpreters.push_back(c == 'I');
  std::vector<std::uint64_t> numbers;
  for (const char c : python) numbers.push_back(0x100 | (c == 'e' ? PYTHON_ENTRY : 0));
  std::string out;
  for (const MergedFrame& frame : merge_python(interpreters, numbers, python_end, end)) {
    if (frame.of == MergedFrame::Of::program) out += program[frame.index];
    if (frame.of == MergedFrame::Of::python) out += std::to_string(frame.index);
    if (frame.of == MergedFrame::Of::gap) out += '-';
    if (frame.of == MergedFrame::Of::cut) out += '*';
  }
  return out;
}

TEST(PythonFrames, StandInPlaceOfTheInterpreter) {
  EXPECT_EQ(merged("cIcc", "e"), "c0cc");
  EXPECT_EQ(merged("cIccIc", "pepppe"), "c01cc2345c");
  EXPECT_EQ(merged("IIc", "ee"), "01c");
}

TEST(PythonFrames, ACallThatHasNoFrameYetStaysTheInterpreter) {
  EXPECT_EQ(merged("IcIc", "pe"), "Ic01c");
  EXPECT_EQ(merged("cIcIc", "pe"), "cIcIc") << "another function is the innermost: the stacks do not fit";
}

TEST(PythonFrames, StacksThatDoNotFitStayThePrograms) {
  EXPECT_EQ(merged("cIc", "ee"), "cIc");
  EXPECT_EQ(merged("cIcIcIc", "e"), "cIcIcIc");
  EXPECT_EQ(merged("cIc", "ep"), "cIc") << "the outermost frame is always an entry";
  EXPECT_EQ(merged("cIc", ""), "cIc");
  EXPECT_EQ(merged("cIc", "e", StackEnd::unknown), "cIc");
  EXPECT_EQ(merged("cIc", "e", StackEnd::start, bpf::PYTHON_END_NONE), "cIc");
}

TEST(PythonFrames, CallersBeyondTheProgramsStackAreKept) {
  EXPECT_EQ(merged("c", "pe", StackEnd::no_rule), "c-01");
  EXPECT_EQ(merged("cIc", "epe", StackEnd::cut), "c0c-12");
  EXPECT_EQ(merged("cIcIc", "e", StackEnd::no_rule), "cIcIc");
}

TEST(PythonFrames, DeepStacksSayThatTheyAreCut) {
  EXPECT_EQ(merged("cIcIc", "epp", StackEnd::start, bpf::PYTHON_END_CUT), "c0c12*c");
  EXPECT_EQ(merged("cIcIcIc", "epp", StackEnd::start, bpf::PYTHON_END_CUT), "c0c12*cIc");
  EXPECT_EQ(merged("cIc", "epp", StackEnd::no_rule, bpf::PYTHON_END_CUT), "c0c-12*");
}

bpf::python_text text_of(const std::string& bytes, std::uint8_t width, std::uint32_t characters) {
  bpf::python_text text{};
  text.size = static_cast<std::uint16_t>(bytes.size());
  text.width = width;
  text.characters = characters;
  std::memcpy(text.words, bytes.data(), bytes.size());
  return text;
}

bpf::python_text ascii(const std::string& bytes) { return text_of(bytes, 1, static_cast<std::uint32_t>(bytes.size())); }

std::vector<std::byte> code(std::uint64_t number, const bpf::python_text& name, const bpf::python_text& file,
                            std::uint32_t line = 5) {
  bpf::record_python_code r{};
  r.code = number;
  r.first_line = line;
  r.name = name;
  r.file = file;
  std::vector<std::byte> bytes(sizeof r);
  std::memcpy(bytes.data(), &r, sizeof r);
  return bytes;
}

std::string named(const bpf::python_text& name, const bpf::python_text& file) {
  PythonCodes codes;
  return codes.take(code(2, name, file)) ? *codes.name(2) : "(not valid)";
}

TEST(PythonCodes, AreNamedByFunctionFileAndLine) {
  EXPECT_EQ(named(ascii("Shop.render"), ascii("/srv/app/svc.py")), "Shop.render (svc.py:5)");
  EXPECT_EQ(named(ascii("f"), ascii("<string>")), "f (<string>:5)");
  EXPECT_EQ(named(ascii("load"), ascii("/usr/lib/python3.11/json/__init__.py")), "load (json/__init__.py:5)");
  EXPECT_EQ(named(ascii("load"), ascii("/__init__.py")), "load (__init__.py:5)");
  EXPECT_EQ(named(ascii("a;b\n"), ascii("c;d")), "a b  (c d:5)");
}

TEST(PythonCodes, NamesInAnyAlphabet) {
  EXPECT_EQ(named(text_of("gr\xf6\xdf"
                          "e",
                          1, 5),
                  ascii("a.py")),
            "größe (a.py:5)");
  EXPECT_EQ(named(text_of(std::string("\x3a\x04\x03\xd8", 4), 2, 2), ascii("a.py")), "к\xef\xbf\xbd (a.py:5)");
  EXPECT_EQ(named(text_of(std::string("\x00\xf6\x01\x00", 4), 4, 1), ascii("a.py")), "\xf0\x9f\x98\x80 (a.py:5)");
}

TEST(PythonCodes, LongNamesSayThatTheyAreCut) {
  const std::string most(PYTHON_TEXT, 'x');
  EXPECT_EQ(named(text_of(most, 1, 500), ascii("a.py")), most + "... (a.py:5)");
  EXPECT_EQ(named(ascii("f"), text_of("ery/long/a.py", 1, 500)), "f (a.py:5)");
  EXPECT_EQ(named(ascii("f"), text_of("long.py", 1, 500)), "f (...long.py:5)");
  EXPECT_EQ(named(text_of(std::string(PYTHON_TEXT, '\xe4'), 1, 500), ascii("a.py")).size(), 136 + 3 + 9u);
}

TEST(PythonCodes, WhatIsNotValidHasNoName) {
  EXPECT_EQ(named(text_of("abc", 3, 1), ascii("a")), "(not valid)");
  EXPECT_EQ(named(text_of("abc", 2, 2), ascii("a")), "(not valid)");
  EXPECT_EQ(named(text_of("abc", 1, 2), ascii("a")), "(not valid)");
  auto large = ascii("abc");
  large.size = PYTHON_TEXT + 1;
  large.characters = 1000;
  EXPECT_EQ(named(large, ascii("a")), "(not valid)");
  PythonCodes codes;
  const auto whole = code(2, ascii("f"), ascii("a"));
  EXPECT_FALSE(codes.take(std::span(whole).first(whole.size() - 1)));
  EXPECT_EQ(codes.name(2), nullptr);
}

TEST(PythonCodes, ThoseNotUsedForLongMakeRoom) {
  PythonCodes codes;
  const auto f = ascii("f"), file = ascii("a");
  for (std::uint64_t i = 0; i < PythonCodes::kMaxCodes + 10; ++i) {
    ASSERT_TRUE(codes.take(code(2 * i, f, file, static_cast<std::uint32_t>(i))));
    ASSERT_NE(codes.name(0), nullptr);
  }
  EXPECT_EQ(codes.size(), PythonCodes::kMaxCodes);
  EXPECT_EQ(codes.name(2), nullptr);
  EXPECT_NE(codes.name(0), nullptr);
}

TEST(PythonProcesses, OnlyReleasesOfKnownVersionsAreRead) {
  EXPECT_TRUE(python_layout(0x030b02f0));
  EXPECT_FALSE(python_layout(0x030b00a7));
  EXPECT_FALSE(python_layout(0x030e00f0));
  EXPECT_FALSE(python_layout(0));
}

TEST(PythonProcesses, AVersionThatIsNotReadIsNamed) {
  EXPECT_EQ(python_version({}, "[python3.9]"), "Python 3.9");
  EXPECT_EQ(python_version({}, "[libpython3.10.so.1.0]"), "Python 3.10");
  EXPECT_EQ(python_version({}, "[python]"), "Python");
  EXPECT_EQ(python_version({}, "[uwsgi]"), "Python");
}

}  // namespace

}  // namespace tailcap::capture::stacks
