#include "analyze/tail/rows/routes.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace tailcap::tail {
namespace {

TEST(Routes, WhatVariesBecomesAPlaceholder) {
  const std::map<std::string, std::string> truth = {
      {"/", "/"},
      {"/users/17", "/users/{}"},
      {"/users/17/", "/users/{}/"},
      {"/users/-3/orders/2026-03-01", "/users/{}/orders/{}"},
      {"/u/550e8400-e29b-41d4-a716-446655440000/x", "/u/{}/x"},
      {"/commit/9e107d9d372bb6826bd81d3542a419d6", "/commit/{}"},
      {"/c/9e107d9d", "/c/{}"},
      {"/file/4711.json", "/file/{}.json"},
      {"/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.x7Yd9QkLmN2pR4sT", "/t/{}"},
      {"/s/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/s/{}"},
      {"/yt/dQw4w9WgXcQ", "/yt/dQw4w9WgXcQ"},  // short: could be a name
      {"/api/v1/health", "/api/v1/health"},
      {"/api/v2beta1/oauth2callback", "/api/v2beta1/oauth2callback"},
      {"/decade/facade/deadbeef", "/decade/facade/deadbeef"},
      {"/how-to-write-a-good-title-in-2026", "/how-to-write-a-good-title-in-2026"},
      {"/static/jquery-3.6.0.min.js", "/static/jquery-3.6.0.min.js"},
      {"/rpc/listAllActiveUserSubscriptionsForAccount", "/rpc/listAllActiveUserSubscriptionsForAccount"},
      {"/a//b", "/a//b"},
      {"*", "*"},
      {"example.com:443", "example.com:443"},
  };
  for (const auto& [path, route] : truth) EXPECT_EQ(learned_route(path), route) << path;
  // What the recorder masked is one parameter, whatever its length.
  EXPECT_EQ(learned_route("/r/" + std::string(20, '*') + "/x"), "/r/{}/x");
  EXPECT_EQ(learned_route("/r/ab" + std::string(30, '*') + ".json"), "/r/{}.json");
  EXPECT_EQ(learned_route("/bot1234567890:" + std::string(35, '*') + "/send"), "/{}/send");
  EXPECT_EQ(learned_route("/cart;session=*****/items"), "/cart/items");
  EXPECT_EQ(learned_route("/files/*.txt"), "/files/*.txt");
}

TEST(Routes, PathOfATarget) {
  EXPECT_EQ(path_of("/a/b?x=1#f"), "/a/b");
  EXPECT_EQ(path_of("http://h:80/a?x"), "/a");
  EXPECT_EQ(path_of("http://h"), "/");
  EXPECT_EQ(path_of("http://h?x"), "/");
  EXPECT_EQ(path_of("/redirect?to=http://h/x"), "/redirect");
  EXPECT_EQ(path_of("/p://q"), "/p://q");
  EXPECT_EQ(path_of("*"), "*");
  EXPECT_EQ(path_of("h:443"), "h:443");
  EXPECT_EQ(path_of(""), "");
}

TEST(Routes, TemplatesMatchWholePaths) {
  const RouteTemplate user("/users/{id}"), tree("/files/{path...}"), slash("/a/"), star("/x/*");
  EXPECT_TRUE(user.matches("/users/7"));
  EXPECT_TRUE(user.matches("/users/alice"));
  EXPECT_FALSE(user.matches("/users"));
  EXPECT_FALSE(user.matches("/users/"));
  EXPECT_FALSE(user.matches("/users/7/x"));
  EXPECT_TRUE(tree.matches("/files/a"));
  EXPECT_TRUE(tree.matches("/files/a/b/c"));
  EXPECT_FALSE(tree.matches("/files"));
  EXPECT_TRUE(slash.matches("/a/"));
  EXPECT_FALSE(slash.matches("/a"));
  EXPECT_FALSE(slash.matches("/a/b"));
  EXPECT_TRUE(star.matches("/x/1/2"));
  EXPECT_THROW(RouteTemplate("users"), std::runtime_error);
}

struct Requests {
  model::RequestTable table;
  model::Findings findings;
  void add(std::string_view method, std::string_view path) {
    model::Request row;
    row.method = table.texts.intern(method);
    row.path = table.texts.intern(path);
    table.rows.push_back(row);
  }
  std::set<std::string> assign(std::vector<RouteTemplate> templates = {}, std::size_t limit = 200) {
    assign_routes(table, templates, limit, findings);
    std::set<std::string> routes;
    for (const auto row : table.rows) routes.emplace(table.texts[row.route]);
    return routes;
  }
};

TEST(Routes, TenThousandUrlsOverTwelveTemplates) {
  Requests r;
  const char* shapes[12] = {
      "/users/%", "/users/%/orders", "/users/%/orders/%", "/items/%",      "/items/%/price",        "/health",
      "/cart/%",  "/cart/%/add",     "/search",           "/people/name%", "/people/name%/friends", "/static/%.css"};
  for (int i = 0; i < 10'000; ++i) {
    std::string path;
    for (const char* c = shapes[i % 12]; *c; ++c) *c == '%' ? path += std::to_string(i * 7919) : path += *c;
    r.add("GET", path + "?page=" + std::to_string(i));
  }
  const auto routes = r.assign();
  EXPECT_EQ(routes.size(), 12u);
  EXPECT_TRUE(routes.contains("/people/{}/friends"));  // learned from their number
  EXPECT_EQ(r.findings[model::Finding::route_overflow], 0u);
}

TEST(Routes, OverflowIsLoudAndKeepsTheMostFrequent) {
  Requests r;
  for (int i = 0; i < 50; ++i)
    for (int n = 0; n <= i; ++n)
      r.add("GET",
            "/r" + std::string(1, static_cast<char>('A' + i % 26)) + std::string(1, static_cast<char>('a' + i / 26)));
  const auto routes = r.assign({}, 10);
  EXPECT_EQ(routes.size(), 11u);
  EXPECT_TRUE(routes.contains(std::string(kOtherRoute)));
  EXPECT_TRUE(routes.contains("/rXb"));
  EXPECT_EQ(r.findings[model::Finding::route_overflow], 40u * 41 / 2);
}

TEST(Routes, OwnTemplatesComeFirstAndShowAsWritten) {
  Requests r;
  r.add("GET", "/users/7");
  r.add("GET", "/users/me");
  r.add("GET", "/users/7/x");
  EXPECT_EQ(r.assign({RouteTemplate("/users/me"), RouteTemplate("/users/{id}")}, 0),
            (std::set<std::string>{"/users/{id}", "/users/me", std::string(kOtherRoute)}));
}

TEST(Routes, UnknownTargetHasNoRoute) {
  Requests r;
  r.table.rows.push_back({});
  r.assign();
  EXPECT_EQ(r.table.rows[0].route, 0u);
}

}  // namespace
}  // namespace tailcap::tail
