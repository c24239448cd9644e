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
  EXPECT_EQ(masked("/a?id=12345678&n=123456789&t=x&e=&k"), "/a?id=12345678&n=*********&t=*&e=&*");
  EXPECT_EQ(masked("/a?x=1.5&y=-1&z=a=b"), "/a?x=***&y=**&z=***");
  EXPECT_EQ(masked("/a?x=1;y=secret"), "/a?x=1;y=******");
  EXPECT_EQ(masked("/a#frag=secret"), "/a#frag=******");
  EXPECT_EQ(masked("/a;jsessionid=ABC/b?x=1"), "/a;jsessionid=***/b?x=1");
}

// Links that confirm, share or unsubscribe something have the credential there.
TEST(MaskTarget, WhatHasNoNameIsAValue) {
  EXPECT_EQ(masked("/confirm?Zm9vYmFy"), "/confirm?********");
  EXPECT_EQ(masked("/a?x=1&Zm9vYmFy#frag"), "/a?x=1&*************");
  EXPECT_EQ(masked("/a#Zm9vYmFy"), "/a#********");
  EXPECT_EQ(masked("/cart;Zm9vYmFy/b?12345"), "/cart;********/b?*****");
  EXPECT_EQ(masked(R"(/q?{"password":"a=1"})"), "/q?" + std::string(14, '*') + "=***");
  EXPECT_EQ(masked("/q?password:hunter"), "/q?***************");
  EXPECT_EQ(masked("/q?" + std::string(33, 'k') + "=1&a[b]=2&a.b-c_d=3"),
            "/q?" + std::string(33, '*') + "=*&****=*&a.b-c_d=3");
  Keep all;
  all.all_queries = true;
  EXPECT_EQ(masked("/a?x=y&bare&a[b]=c", all), "/a?x=y&bare&a[b]=c");
}

TEST(MaskTarget, NumbersThatLetSomebodyIn) {
  for (const char* name :
       {"otp", "OTP", "sms_otp", "pin", "userPin", "pin-code", "code", "authCode", "statuscode", "cvv", "cvv2", "token",
        "accessToken", "x.token", "passcode", "verification", "card", "sid", "tan"})
    EXPECT_EQ(masked(std::string("/a?") + name + "=1234&n=5"), std::string("/a?") + name + "=****&n=5");
  for (const char* name : {"id", "page", "shipping", "spinner", "decoder", "passengers", "discard", "author", "keyword",
                           "option", "limit", "size", "tanks"})
    EXPECT_EQ(masked(std::string("/a?") + name + "=1234"), std::string("/a?") + name + "=1234");
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
  host = "TOKEN";
  mask_authority(host, true);
  EXPECT_EQ(host, "*****") << "it may be the name of a user";
}

TEST(MaskTarget, TokensInPaths) {
  const std::string hex = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
  EXPECT_EQ(masked("/r/" + hex + "/x"), "/r/" + std::string(40, '*') + "/x");
  EXPECT_EQ(masked("/r/" + hex.substr(1)), "/r/" + hex.substr(1)) << "it reads like words";
  EXPECT_EQ(masked("/r/" + hex + ".tar.gz"), "/r/" + std::string(40, '*') + ".tar.gz");
  EXPECT_EQ(masked("/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), "/" + std::string(41, '*'));
  EXPECT_EQ(masked("/u/123e4567-e89b-12d3-a456-426614174000"), "/u/123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(masked("/a?" + hex + "=1"), "/a?" + std::string(40, '*') + "=*");
  EXPECT_EQ(masked("/" + hex.substr(0, 20) + "%2F" + hex.substr(0, 20) + "%3D"), "/" + std::string(46, '*'));
}

TEST(MaskTarget, CredentialsOf128BitsAndOf20Characters) {
  const std::string secrets[] = {"0123456789abcdef0123456789abcdef",   "7f3a9c5e1b2d8f6071a2b3c4d5e6f708",
                                 "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "XfK2pQ9sLw7RtZ1yVbN4mC8d",
                                 "01HZX5YQ8J3K7M2N4P6R8T0V",           "kJ8sQ2vX9zR4tW7yB1nM",
                                 "MFRGGZDFMZTWQ2LKNNWG23TP",           "qzxvbkjwpfhgdmtcyrnlsaeiouqz"};
  for (const std::string& secret : secrets) {
    EXPECT_EQ(masked("/bot1234567890:" + secret + "/send"),
              "/bot1234567890:" + std::string(secret.size(), '*') + "/send");
    EXPECT_EQ(masked("/services/T024BE7LD/B0HD7K2LM/" + secret),
              "/services/T024BE7LD/B0HD7K2LM/" + std::string(secret.size(), '*'));
    EXPECT_EQ(masked("/r/" + secret + ".json?x=1"), "/r/" + std::string(secret.size(), '*') + ".json?x=1");
    for (const char* sign : {"~", ",", "%", "%2C", "!", "'"})
      EXPECT_EQ(masked("/r/" + secret.substr(0, 9) + sign + secret.substr(9)),
                "/r/" + std::string(secret.size() + std::string(sign).size(), '*'));
    std::string pieces;
    for (std::size_t n = 1; n <= secret.size(); ++n) pieces += masked("/r/" + secret.substr(0, n), {}, true).back();
    EXPECT_LE(pieces.find_last_not_of('*') + 1, 8u) << pieces << ": a number may be an id";
  }
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
  EXPECT_EQ(masked("/x-" + jwt), "/" + std::string(2 + jwt.size(), '*'));
  EXPECT_EQ(masked("/v1" + jwt + "/b"), "/" + std::string(2 + jwt.size(), '*') + "/b");
  EXPECT_EQ(masked("/Bearer%20" + jwt), "/" + std::string(9 + jwt.size(), '*'));
}

// Routes are made of them.
TEST(MaskTarget, WordsAndNumbersStay) {
  for (const std::string path :
       {"/google.cloud.bigquery.v2.DatasetService/ListDatasetsInProject",
        "/hipstershop.ProductCatalogService/GetProduct", "/grpc.health.v1.Health/Check",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "/api/v1/namespaces/default/persistentvolumeclaims",
        "/blog/10-reasons-to-love-rust-2024", "/bank.v1.MoneyJarService/TransferMoneyJarContents",
        "/oauth2/openid-configuration-v2", "/v1/projects/shop:testIamPermissions", "/Products(ProductID='4711')",
        "/users/123456789012345678", "/u/123e4567-e89b-12d3-a456-426614174000", "/2026/11/25/report-2026-11-25.csv",
        "/static/js/main.8f3a2b1c.chunk.js", "/search/hello%20world%20how%20are%20you", "/GetUserByIDAndTenantName",
        "/list_all_users_by_tenant_id"})
    EXPECT_EQ(masked(path), path);
}

// A value that may continue behind the cut is masked where it could be secret.
TEST(MaskTarget, CutAnywhere) {
  EXPECT_EQ(masked("/a?id=12", {}, true), "/a?id=**");
  EXPECT_EQ(masked("/a?id", {}, true), "/a?**");
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
