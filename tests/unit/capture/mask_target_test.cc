// The masked parts of request targets and hosts, and the list of headers.
#include <gtest/gtest.h>

#include "capture/mask/command_line.h"
#include "capture/mask/http/target.h"
#include "capture/mask/pointer_key.h"

namespace tailcap::capture::mask {
namespace {

std::string masked(std::string target, const Keep& keep = {}, bool cut = false) {
  const HeaderList list(keep);
  mask_target(target, cut, list);
  return target;
}

TEST(MaskTarget, QueryValuesButShortNumbers) {
  EXPECT_EQ(masked("/a?id=12345678&n=123456789&t=x&e=&k"), "/a?id=12345678&n=*********&t=*&e=&k");
  EXPECT_EQ(masked("/a?x=1.5&y=-1&z=a=b"), "/a?x=***&y=**&z=***");
  EXPECT_EQ(masked("/a?x=1;y=secret"), "/a?x=1;y=******");
  EXPECT_EQ(masked("/a#frag=secret"), "/a#frag=******");
  EXPECT_EQ(masked("/a;jsessionid=ABC/b?x=1"), "/a;jsessionid=***/b?x=1");
}

TEST(MaskTarget, KeptQueries) {
  Keep one;
  one.queries = {"user"};
  EXPECT_EQ(masked("/a?user=bob&pass=x", one), "/a?user=bob&pass=*");
  Keep all;
  all.all_queries = true;
  EXPECT_EQ(masked("/a?user=bob&pass=x", all), "/a?user=bob&pass=x");
}

TEST(MaskTarget, UserInformation) {
  EXPECT_EQ(masked("http://bob:pw@host:80/a"), "http://******@host:80/a");
  EXPECT_EQ(masked("bob:pw@host:443"), "******@host:443");
  EXPECT_EQ(masked("host:443"), "host:443");
  EXPECT_EQ(masked("/proxy/bob:pw@host/x"), "/proxy/******@host/x");
  EXPECT_EQ(masked("/@bob/x"), "/@bob/x");
  std::string host = "bob:pw@host";
  mask_authority(host, false);
  EXPECT_EQ(host, "******@host");
}

TEST(MaskTarget, TokensInPaths) {
  const std::string hex = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
  EXPECT_EQ(masked("/r/" + hex + "/x"), "/r/" + std::string(40, '*') + "/x");
  EXPECT_EQ(masked("/r/" + hex.substr(1)), "/r/" + hex.substr(1));
  EXPECT_EQ(masked("/r/" + hex + ".tar.gz"), "/r/" + std::string(40, '*') + ".tar.gz");
  EXPECT_EQ(masked("/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), "/" + std::string(41, '*'));
  EXPECT_EQ(masked("/u/123e4567-e89b-12d3-a456-426614174000"), "/u/123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(masked("/a?" + hex + "=1"), "/a?" + std::string(40, '*') + "=1");
  EXPECT_EQ(masked("/" + hex.substr(0, 20) + "%2F" + hex.substr(0, 20) + "%3D"), "/" + std::string(46, '*'));
}

// A value that may continue behind the cut is masked where it could be secret.
TEST(MaskTarget, CutAnywhere) {
  EXPECT_EQ(masked("/a?id=12", {}, true), "/a?id=**");
  EXPECT_EQ(masked("/a?id", {}, true), "/a?id");
  EXPECT_EQ(masked("/cart/item", {}, true), "/cart/item");
  EXPECT_EQ(masked("/deadbeefdeadbeef", {}, true), "/****************");
  EXPECT_EQ(masked("http://bob", {}, true), "http://***");
  EXPECT_EQ(masked("htt", {}, true), "htt");
}

TEST(MaskHeaders, TheList) {
  const HeaderList list;
  EXPECT_EQ(list.of("content-type"), Value::kept);
  EXPECT_EQ(list.of("traceparent"), Value::kept);
  EXPECT_EQ(list.of(":path"), Value::target);
  EXPECT_EQ(list.of("host"), Value::authority);
  for (const char* name :
       {"authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "private-token", "location", "referer",
        "baggage", "x-tenant-id", "dpop", "proxy-authorization", "x-amz-security-token", "etag"})
    EXPECT_EQ(list.of(name), Value::masked) << name;
  Keep keep;
  keep.headers = {"x-tenant-id"};
  EXPECT_EQ(HeaderList(keep).of("x-tenant-id"), Value::kept);
}

TEST(MaskCommandLine, OnlyTheProgram) {
  EXPECT_EQ(program_of("/usr/bin/mysql -u root -psecret"), "/usr/bin/mysql");
  EXPECT_EQ(program_of(""), "");
  EXPECT_EQ(own_command_line({"tailcap", "record", "-o", "x", "--", "curl", "-u", "bob:pw"}),
            (std::vector<std::string>{"tailcap", "record", "-o", "x", "--", "curl", "…"}));
  EXPECT_EQ(own_command_line({"tailcap", "record", "-p", "1"}),
            (std::vector<std::string>{"tailcap", "record", "-p", "1"}));
}

// The reference implementation's vectors for eight bytes 00 to 07 under the key 00 to 0f.
TEST(MaskPointers, AreSipHash) {
  const PointerKey key(0x0706050403020100u, 0x0f0e0d0c0b0a0908u);
  EXPECT_EQ(key(0x0706050403020100u), 0x93f5f5799a932462u);
  EXPECT_EQ(key(0), 0u) << "no address";
  EXPECT_NE(PointerKey()(1), PointerKey()(1)) << "each recording has its own";
}

}  // namespace
}  // namespace tailcap::capture::mask
