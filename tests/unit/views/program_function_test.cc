// Which function of the program a sample is in.
#include <gtest/gtest.h>

#include "analyze/views/compare/functions.h"

namespace tailcap::tests::program_function_test {
namespace {

using views::program_function;

TEST(ProgramFunctions, TheInnermostAndItsCaller) {
  const auto f = program_function("shop;main;serve;render;json_encode");
  EXPECT_EQ(f.name, "json_encode");
  EXPECT_EQ(f.caller, "render");
}

TEST(ProgramFunctions, WhatTheKernelAndTheRuntimeDoIsItsCallers) {
  const auto c = program_function("shop;_start;main;log_line;__write;[libc.so.6];ksys_write_[k];vfs_write_[k]");
  EXPECT_EQ(c.name, "log_line");
  EXPECT_EQ(c.caller, "main");
  const auto go = program_function("shop;main.main;main.encode;runtime.mallocgc;runtime.futex");
  EXPECT_EQ(go.name, "main.encode");
  EXPECT_EQ(go.caller, "main.main");
}

TEST(ProgramFunctions, PythonWithoutTheLine) {
  const auto f = program_function("svc;main;_PyEval_EvalFrameDefault;handle (svc.py:40);encode (svc.py:7);memcpy");
  EXPECT_EQ(f.name, "encode (svc.py)");
  EXPECT_EQ(f.caller, "handle (svc.py)");
}

TEST(ProgramFunctions, NoneHasAName) {
  EXPECT_EQ(program_function("shop;[shop];[unknown];do_syscall_64_[k]").name, "");
  EXPECT_EQ(program_function("shop").name, "");
  EXPECT_EQ(program_function("").name, "");
  const auto f = program_function("shop;start_thread;work");
  EXPECT_EQ(f.name, "work");
  EXPECT_EQ(f.caller, "");
}

}  // namespace
}  // namespace tailcap::tests::program_function_test
