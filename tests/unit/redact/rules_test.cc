// The table of rules covers the schema.
#include "analyze/redact/rules/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "formats/fields/tables.h"

namespace tailcap::redact {
namespace {

std::set<std::string> schema() {
  std::set<std::string> all;
  formats::each_body([&]<class B>() {
    if (!formats::is_stored(formats::Table<B>::kinds[0].kind)) return;
    B body;
    formats::each_field(body, [&](const auto& field, const auto&) {
      all.insert(std::string(formats::Table<B>::kinds[0].name) + "." + std::string(field.name));
    });
  });
  return all;
}

TEST(Rules, EveryFieldHasARowAndEveryRowAField) {
  std::set<std::string> rows_by_name;
  for (const RedactionRow& row : rows()) {
    const std::string name = std::string(row.kind) + "." + std::string(row.field);
    EXPECT_TRUE(rows_by_name.insert(name).second) << name << " has two rows";
    EXPECT_TRUE(row.kind == "preamble" || schema().contains(name)) << name << " is no field of formats/fields";
  }
  for (const std::string& name : schema())
    EXPECT_TRUE(rows_by_name.contains(name))
        << name << " has no row in analyze/redact/rules/rules.cc: it would be dropped";
}

TEST(Rules, TextIsNeverKeptWithoutARule) {
  formats::each_body([&]<class B>() {
    if (!formats::is_stored(formats::Table<B>::kinds[0].kind)) return;
    B body;
    formats::each_field(body, [&](const auto& field, const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>) {
        const std::string_view kind = formats::Table<B>::kinds[0].name;
        const bool fixed = kind == "program_cost" || (kind == "probe" && field.name == "place");
        EXPECT_TRUE(fixed || RedactionPolicy(RedactionLevel::strict).of(kind, field.name) != Treatment::keep)
            << kind << "." << field.name;
      }
    });
  });
}

TEST(Rules, AFieldWithoutARowIsDropped) {
  EXPECT_EQ(RedactionPolicy().of("task_info", "new_field"), Treatment::drop);
  EXPECT_EQ(RedactionPolicy().header("x-new"), Value::masked);
}

TEST(Rules, TheHashFollowsTheRules) {
  RedactionPolicy changed(RedactionLevel::strict);
  changed.set("task_info", "comm", Treatment::keep);
  EXPECT_NE(changed.hash(), RedactionPolicy(RedactionLevel::strict).hash());
  EXPECT_NE(RedactionPolicy().hash(), RedactionPolicy(RedactionLevel::strict).hash());
  EXPECT_EQ(RedactionPolicy().hash(), RedactionPolicy().hash());
}

TEST(Rules, WhatMayHoldCredentialsIsKeptOnlyWhereItIsNamedTwice) {
  RedactionPolicy policy;
  EXPECT_THROW(policy.keep_header("authorization"), std::runtime_error);
  EXPECT_THROW(policy.keep_header("x-Api"), std::runtime_error) << "not in lower case";
  EXPECT_THROW(policy.keep_header(":path"), std::runtime_error);
  EXPECT_THROW(policy.keep_query("access_token"), std::runtime_error);
  EXPECT_THROW(policy.set("task_info", "command_line", Treatment::keep), std::runtime_error);
  EXPECT_FALSE(policy.custom());
  policy.set("task_info", "command_line", Treatment::drop);
  policy.allow_credentials("authorization");
  policy.allow_credentials("task_info.command_line");
  policy.keep_header("authorization");
  policy.set("task_info", "command_line", Treatment::keep);
  EXPECT_EQ(policy.header("authorization"), Value::kept);
  EXPECT_EQ(policy.header("cookie"), Value::masked);

  RedactionPolicy page, region;
  page.keep_query("page");
  region.keep_header("x-region");
  EXPECT_TRUE(page.custom() && region.custom());
  EXPECT_NE(page.hash(), RedactionPolicy().hash());
  EXPECT_NE(region.hash(), RedactionPolicy().hash());
}

}  // namespace
}  // namespace tailcap::redact
