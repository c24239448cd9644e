#include "analyze/render/escape.h"

#include <gtest/gtest.h>

#include "analyze/render/lines.h"

namespace tailcap::render {
namespace {

TEST(Escape, HtmlLeavesNoMarkup) {
  EXPECT_EQ(html("<script>\"a\" & 'b'</script>"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
}

TEST(Escape, MarkdownLeavesNoMarkup) {
  EXPECT_EQ(markdown("a|b `c` *d* _e_ [f](g) <h> ~i~"), "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) &lt;h&gt; \\~i\\~");
  EXPECT_EQ(markdown("http://x #7 @me :smile: www.x.org"), "http&#58;//x &#35;7 &#64;me &#58;smile: www&#46;x.org");
  EXPECT_EQ(markdown("at 12:34: now."), "at 12:34: now.");
  EXPECT_EQ(markdown("two\nlines"), "two lines");
}

TEST(Escape, WidthCountsWhatIsSeen) {
  EXPECT_EQ(columns("µs"), 2u);
  EXPECT_EQ(columns("漢字"), 4u);
  EXPECT_EQ(columns("e\xcc\x81"), 1u);
  EXPECT_EQ(shortened("/users/7", 8), "/users/7");
  EXPECT_EQ(shortened("/users/12345/orders", 10), "/user…ders");
  EXPECT_EQ(shortened("漢字漢字漢字", 7), "漢…字");  // a wide character is not cut in half
  EXPECT_EQ(shortened("abc", 0), "");
}

TEST(Table, TextWrapsAtSpacesAndKeepsLongWords) {
  EXPECT_EQ(wrapped("key  ", "one two three", 12), "key  one two\n     three\n");
  EXPECT_EQ(wrapped("", "/a/very/long/path and more", 8), "/a/very/long/path\nand more\n");
  EXPECT_EQ(wrapped("", "took 12.3 ms, then", 10), "took\n12.3 ms,\nthen\n");  // a number and its unit stay together
  EXPECT_EQ(wrapped("empty ", "", 20), "empty\n");
}

TEST(Escape, WordsOfAShell) {
  EXPECT_EQ(shell_word("/tmp/a-1_b.tcap"), "/tmp/a-1_b.tcap");
  EXPECT_EQ(shell_word("a b.tcap"), "'a b.tcap'");
  EXPECT_EQ(shell_word("it's; rm *"), "'it'\\''s; rm *'");
  EXPECT_EQ(shell_word("$(x)`y`"), "'$(x)`y`'");
  EXPECT_EQ(shell_word("-n"), "'-n'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("größe.tcap"), "größe.tcap");
}

}  // namespace
}  // namespace tailcap::render
