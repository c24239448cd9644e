// Which functions of TLS libraries get probes, and where, in the libraries installed here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bpf/event.h"
#include "capture/host/shadow_stack_support.h"
#include "capture/tls/functions.h"
#include "capture/tls/libraries.h"

namespace tailcap::capture::tls {
namespace {

std::string library(const std::string& name) {
  for (const auto& path : system_libraries()) {
    if (path.substr(path.rfind('/') + 1).starts_with(name)) return path;
  }
  return {};
}

const PlannedFunction* find(const std::vector<PlannedFunction>& functions, const std::string& name) {
  const auto found = std::find_if(functions.begin(), functions.end(), [&](const auto& f) { return f.name == name; });
  return found == functions.end() ? nullptr : &*found;
}

int act_of(std::uint64_t cookie) { return static_cast<int>(cookie >> 32 & 0xff); }
int library_of(std::uint64_t cookie) { return static_cast<int>(cookie >> 40 & 15); }

TEST(TlsFunctions, NamesOfLibraries) {
  for (const char* name : {"libssl.so.3", "libssl.so", "libcrypto.so.1.1", "libgnutls.so.30", "libssl-3a6a8f61.so.1.1"})
    EXPECT_TRUE(is_tls_library(name)) << name;
  for (const char* name :
       {"libssl", "libssl3.so", "libssl.a", "libgnutls-openssl.so.27", "libc.so.6", "libssl_conf.so", ""})
    EXPECT_FALSE(is_tls_library(name)) << name;
}

TEST(TlsFunctions, OpenSsl) {
  const auto path = library("libssl.so.3");
  if (path.empty()) GTEST_SKIP() << "libssl.so.3 is not installed";
  const auto functions = plan_functions(symbols::ElfFile::open(path));
  for (const char* name : {"SSL_read", "SSL_write", "SSL_read_ex", "SSL_write_ex"}) {
    const auto* function = find(functions, name);
    ASSERT_TRUE(function) << name;
    ASSERT_GE(function->places.size(), 2u) << name << ": " << function->reason;
    EXPECT_EQ(function->places[0].probe.program, FunctionProgram::enter);
    for (std::size_t i = 1; i < function->places.size(); i++)
      EXPECT_EQ(function->places[i].probe.program, FunctionProgram::leave) << name;
    for (const auto& place : function->places) {
      EXPECT_EQ(library_of(place.probe.cookie), bpf::TLS_OPENSSL);
      EXPECT_EQ(act_of(place.probe.cookie), act_of(function->places[0].probe.cookie)) << name;
      EXPECT_GT(place.price, 0u);
    }
    // In the two functions with _ex the place is a call, which is the last choice where there are shadow stacks.
    EXPECT_EQ(function->places[0].price,
              symbols::kernel_has_shadow_stacks() ? function->places[0].price : kEmulatedPrice)
        << name;
  }
  for (const char* name : {"SSL_do_handshake", "SSL_shutdown", "SSL_free", "SSL_clear"}) {
    const auto* function = find(functions, name);
    ASSERT_TRUE(function) << name;
    ASSERT_EQ(function->places.size(), 1u) << function->reason;
    EXPECT_EQ(function->places[0].probe.program, FunctionProgram::event);
  }
}

TEST(TlsFunctions, OpenSslByKeysAndProbes) {
  const auto path = library("libssl.so.3"), crypto = library("libcrypto.so.3");
  if (path.empty() || crypto.empty()) GTEST_SKIP() << "OpenSSL 3 is not installed";
  EXPECT_TRUE(plan_functions(symbols::ElfFile::open(path), true).empty());
  const auto functions = plan_functions(symbols::ElfFile::open(path), true, true);
  for (const char* name : {"SSL_read", "SSL_write", "SSL_clear", "SSL_set_accept_state", "SSL_set_connect_state",
                           "SSL_do_handshake", "SSL_free"}) {
    const auto* function = find(functions, name);
    ASSERT_TRUE(function) << name;
    ASSERT_FALSE(function->places.empty()) << name << ": " << function->reason;
    for (const auto& place : function->places) EXPECT_TRUE(place.probe.cookie & TLS_BY_KEYS) << name;
  }
  for (const bool also : {false, true}) {
    const auto keys = plan_functions(symbols::ElfFile::open(crypto), true, also);
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].name, "EVP_KDF_derive");
  }
  for (const auto& function : plan_functions(symbols::ElfFile::open(path)))
    for (const auto& place : function.places) EXPECT_FALSE(place.probe.cookie & TLS_BY_KEYS) << function.name;
}

TEST(TlsFunctions, GnuTls) {
  const auto path = library("libgnutls.so.30");
  if (path.empty()) GTEST_SKIP() << "libgnutls.so.30 is not installed";
  const auto functions = plan_functions(symbols::ElfFile::open(path));
  // gnutls_record_send is a jump to gnutls_record_send2; a probe there sees the same calls.
  const bool forwards = !find(functions, "gnutls_record_send");
  const auto* send = find(functions, forwards ? "gnutls_record_send2" : "gnutls_record_send");
  ASSERT_TRUE(send);
  EXPECT_GE(send->places.size(), 2u) << send->reason;
  const auto* receive = find(functions, "gnutls_record_recv");
  ASSERT_TRUE(receive);
  EXPECT_GE(receive->places.size(), 2u) << receive->reason;
}

// Every release that is installed is tried, stripped.
TEST(TlsFunctions, GoByKeysAndProbes) {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "tailcap-go-tls-XXXXXX").string();
  ASSERT_TRUE(mkdtemp(folder.data()));
  std::ofstream(folder + "/main.go")
      << "package main\nimport \"crypto/tls\"\n"
         "func main() { c, _ := tls.Dial(\"tcp\", \"\", nil); tls.Server(c, nil).Write(nil) }\n";
  const auto act = [](const PlannedFunction* f) {
    return f && !f->places.empty() ? act_of(f->places[0].probe.cookie) : -1;
  };
  int releases = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib", error)) {
    const std::string compiler = entry.path() / "bin/go";
    if (!entry.path().filename().string().starts_with("go-1.") || !fs::exists(compiler)) continue;
    const std::string command = "cd " + folder + " && CGO_ENABLED=0 GO111MODULE=off GOTOOLCHAIN=local " + compiler +
                                " build -ldflags='-s -w' -o program main.go >log 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    releases++;
    const auto file = symbols::ElfFile::open(folder + "/program");
    const auto keys = plan_functions(file, true), both = plan_functions(file, true, true),
               probes = plan_functions(file);
    ASSERT_EQ(keys.size(), 2u) << compiler;
    for (const auto& functions : {keys, both}) {
      EXPECT_EQ(act(find(functions, "crypto/tls.(*Config).writeKeyLog")), bpf::ACT_TRAFFIC_SECRET) << compiler;
      EXPECT_EQ(act(find(functions, "crypto/tls.keysFromMasterSecret")), bpf::ACT_KEY_EXPANSION) << compiler;
      // In the order in which they are attached.
      for (std::size_t i = 0; i < 2; i++) EXPECT_EQ(functions[i].places[0].probe.program, FunctionProgram::go_secret);
    }
    for (const auto& function : both) {
      ASSERT_FALSE(function.places.empty()) << compiler << " " << function.name << ": " << function.reason;
      for (const auto& place : function.places) EXPECT_TRUE(place.probe.cookie & TLS_BY_KEYS) << function.name;
    }
    EXPECT_EQ(both.size(), keys.size() + probes.size());
    for (const auto& function : probes)
      for (const auto& place : function.places) EXPECT_FALSE(place.probe.cookie & TLS_BY_KEYS) << function.name;
  }
  fs::remove_all(folder);
  if (releases == 0) GTEST_SKIP() << "there is no Go compiler";
}

TEST(TlsFunctions, NothingInOtherFiles) { EXPECT_TRUE(plan_functions(symbols::ElfFile::open("/bin/sh")).empty()); }

}  // namespace
}  // namespace tailcap::capture::tls
