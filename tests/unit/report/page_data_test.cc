// What a page holds for its script: which requests, and how they are packed.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analyze/report/page/packed.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report {
namespace {

std::string unpacked(const std::string& text, std::size_t size) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  for (std::size_t i = 0; i + 3 < text.size(); i += 4) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 4; ++k)
      three = three << 6 | (text[i + k] == '=' ? 0u : static_cast<std::uint32_t>(digits.find(text[i + k])));
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(three >> shift & 255);
  }
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '='; --i) bytes.pop_back();
  std::string out(size + 1, '\0');
  uLongf n = out.size();
  const int code =
      uncompress(reinterpret_cast<Bytef*>(out.data()), &n, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  EXPECT_EQ(code, Z_OK);
  out.resize(n);
  return out;
}

TEST(PageData, PackedTextsAreReadBack) {
  for (const std::size_t size : {0u, 1u, 2u, 3u, 100u, 70'000u}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * i * 31 % 251);
    EXPECT_EQ(unpacked(page::packed(text), size), text) << size;
    EXPECT_EQ(page::packed(text).size() % 4, 0u);
  }
}

TEST(PageData, PiecesAreOneText) {
  page::Packer packer;
  std::string all, piece;
  std::uint32_t seed = 7;
  for (const std::size_t size : {1u, 0u, 50'000u, 3u, 200'000u, 17u}) {
    piece.clear();
    for (std::size_t i = 0; i < size; ++i) piece += static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    all += piece;
    packer.add(piece);
    EXPECT_TRUE(piece.empty());
  }
  EXPECT_EQ(unpacked(packer.take(), all.size()), all);
  page::Packer left;  // ends while it packs
  left.add(all);
}

// 1,000 requests: every 100th failed, every 50th, at 7, is in an answer.
struct Recording {
  model::RequestTable table;
  std::vector<std::uint32_t> answers;
  Recording() {
    for (std::uint32_t i = 0; i < 1000; ++i) {
      model::Request row;
      row.id = {1 + i / 10, i % 10};
      row.start = formats::Time{std::chrono::milliseconds{i}};
      row.duration = std::chrono::milliseconds{1};
      row.has_duration = row.complete = true;
      row.status = i % 100 == 0 ? 500 : 200;
      row.outcome = i % 100 == 0 ? model::Outcome::server_error : model::Outcome::ok;
      table.rows.push_back(row);
      answers.push_back(i % 50 == 7 ? 1 : 0);
    }
  }
};

TEST(PageData, AFewRequestsAreShownWhole) {
  const Recording r;
  const auto shown = page::shown_rows(r.table, {}, r.answers, {}, 1000, 1000);
  ASSERT_EQ(shown.size(), 1000u);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(shown[i].row, i);
    EXPECT_TRUE(shown[i].detailed);
    EXPECT_EQ(shown[i].answer, r.answers[i]);
  }
}

TEST(PageData, OfManyThoseThatTellMostComeFirstAndTheOthersAreSpread) {
  const Recording r;
  const auto shown = page::shown_rows(r.table, {}, r.answers, {}, 60, 200);
  ASSERT_EQ(shown.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(shown, {}, &page::ShownRow::row));
  std::size_t answered = 0, failed = 0, detailed = 0, answered_whole = 0, failed_whole = 0, late = 0;
  for (const auto& row : shown) {
    const bool failure = r.table.rows.status(row.row) == 500;
    answered += row.answer != 0;
    failed += failure;
    detailed += row.detailed;
    answered_whole += row.answer != 0 && row.detailed;
    failed_whole += failure && row.detailed;
    late += row.row >= 500;
  }
  EXPECT_EQ(answered, 20u);
  EXPECT_EQ(failed, 10u);
  EXPECT_EQ(detailed, 60u);
  EXPECT_EQ(answered_whole, 20u);
  EXPECT_EQ(failed_whole, 10u);
  EXPECT_NEAR(static_cast<double>(late), 100, 5);
}

// A quarter is left for requests without anything special, or there would be nothing to compare with.
TEST(PageData, WhatIsSpecialDoesNotFillThePage) {
  const Recording r;
  const std::vector<std::uint32_t> all_in_one(1000, 1);
  const auto shown = page::shown_rows(r.table, {}, all_in_one, {}, 40, 100);
  EXPECT_EQ(shown.size(), 100u);
  EXPECT_LT(shown.front().row, 10u);
  EXPECT_GT(shown.back().row, 900u);
}

// However many others there are: with its other end and its calls.
TEST(PageData, TheRequestAtWhichThePageOpensIsShownWhole) {
  Recording r;
  const auto id = [&](std::uint32_t row) { return r.table.rows.id(row); };
  r.table.rows.set_peer(333, id(334));
  model::Cause cause;
  cause.parent = id(334);
  r.table.causes.assign({{id(700), cause}});
  const std::vector<std::uint32_t> all_in_one(1000, 1);
  const auto around = page::requests_around({}, r.table, id(333));
  EXPECT_EQ(around, (std::vector<model::ExchangeId>{id(333), id(334), id(700)}));
  const auto shown = page::shown_rows(r.table, {}, all_in_one, around, 20, 40);
  EXPECT_EQ(shown.size(), 40u);
  for (const std::uint32_t row : {333u, 334u, 700u}) {
    const auto at = std::ranges::find(shown, row, &page::ShownRow::row);
    ASSERT_NE(at, shown.end()) << row;
    EXPECT_TRUE(at->detailed) << row;
  }
  EXPECT_TRUE(page::requests_around({}, r.table, {}).empty());
}

}  // namespace
}  // namespace tailcap::report
