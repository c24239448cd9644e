#!/usr/bin/env python3
"""`tailcap mcp` answers as the Model Context Protocol wants it, with what the commands print.

    tests/cli/mcp_test.py --build build/dev [unittest arguments]
"""
import json
import subprocess

import case

LOCK = str(case.SAMPLES / "lock-contention/lock-contention.tcap")
STOCK = str(case.SAMPLES / "go-stock/go-stock.tcap")


class Server(case.Case):
    def talk(self, *lines):
        """Sends lines, or messages; returns the answers."""
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        done = subprocess.run(
            [str(case.program()), "mcp"], input=text, capture_output=True, text=True, timeout=60, cwd=self.scratch
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def call(self, name, **arguments):
        (answer,) = self.talk(
            {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        )
        self.assertEqual((answer["jsonrpc"], answer["id"]), ("2.0", 7))
        return answer

    def text(self, name, **arguments):
        result = self.call(name, **arguments)["result"]
        self.assertFalse(result["isError"], result)
        (content,) = result["content"]
        self.assertEqual(content["type"], "text")
        return content["text"]

    def printed(self, *arguments):
        return self.tailcap(*arguments).stdout

    def test_a_session(self):
        answers = self.talk(
            {
                "jsonrpc": "2.0",
                "id": 0,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "t", "version": "1"},
                },
            },
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": "a", "method": "ping"},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        )
        self.assertEqual([answer["id"] for answer in answers], [0, "a", 2])
        self.assertEqual(answers[0]["result"]["protocolVersion"], "2025-06-18")
        self.assertIn("tools", answers[0]["result"]["capabilities"])
        self.assertEqual(answers[1]["result"], {})
        tools = {tool["name"]: tool for tool in answers[2]["result"]["tools"]}
        self.assertGreaterEqual(len(tools), 10)
        for tool in tools.values():
            schema = tool["inputSchema"]
            self.assertEqual(schema["type"], "object")
            self.assertLessEqual(set(schema["required"]), set(schema["properties"]))
            self.assertTrue(tool["description"])
            self.assertTrue(tool["annotations"]["readOnlyHint"])

    def test_questions(self):
        self.assertEqual(self.text("report", file=LOCK), self.printed("report", LOCK, "--format", "agent"))
        self.assertEqual(self.text("show", file=LOCK, id="@1"), self.printed("show", LOCK, "@1"))
        self.assertEqual(self.text("tree", file=LOCK, id="3.144"), self.printed("tree", LOCK, "3.144"))
        sql = "SELECT count(*) AS n FROM request"
        self.assertEqual(json.loads(self.text("query", file=LOCK, sql=sql)), {"n": 800})
        rows = self.text("requests", file=LOCK, where="duration > 5ms", columns="id,duration", limit=3)
        self.assertEqual(
            rows.splitlines()[:4],
            self.printed("requests", LOCK, "-w", "duration > 5ms", "--columns", "id,duration", "-n", "3").splitlines(),
        )
        self.assertIn("duration", self.text("fields", max_bytes=100_000))

    def test_every_tool_runs(self):
        (answer,) = self.talk({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        values = {"file": LOCK, "id": "slowest", "measure": "off-cpu", "base": [LOCK], "summaries": [LOCK, STOCK]}
        values.update(a=LOCK, b=LOCK)
        for tool in answer["result"]["tools"]:
            with self.subTest(tool["name"]):
                known = {key: values[key] for key in tool["inputSchema"]["properties"] if key in values}
                if tool["name"] == "compare":
                    continue  # too little to decide: the next test
                self.text(tool["name"], **known)

    def test_compare(self):
        result = self.call("compare", base=[LOCK], new=[LOCK])["result"]
        done = self.tailcap("compare", "--format", "md", LOCK, "--", LOCK)
        self.assertIn(done.stdout, result["content"][0]["text"])
        self.assertEqual(result["isError"], done.returncode in (1, 2))

    def test_a_budget(self):
        whole = self.printed("requests", LOCK)
        text = self.text("requests", file=LOCK, max_bytes=3000)
        kept, _, rest = text.partition("[")
        self.assertTrue(whole.startswith(kept) and kept.endswith("\n"))
        self.assertLessEqual(len(kept.encode()), 3000)
        self.assertTrue(rest.startswith(f"{len(whole.encode()) - len(kept.encode())} bytes more"), rest[:80])

    def test_what_is_wrong(self):
        def code(answer):
            return answer["error"]["code"]

        self.assertEqual(code(self.call("nosuch")), -32602)
        self.assertEqual(code(self.call("show", file=LOCK)), -32602)
        self.assertEqual(code(self.call("show", file=LOCK, id=3)), -32602)
        self.assertEqual(code(self.call("show", file=LOCK, id="3.144", more="x")), -32602)
        self.assertEqual(code(self.call("requests", file=LOCK, limit=0)), -32602)
        self.assertEqual(code(self.call("report", file=LOCK, max_bytes="x")), -32602)
        deep = "[" * 100_000
        answers = self.talk(
            "{",
            deep,
            "[]",
            '{"id": 1}',
            '{"id": 1, "method": "nosuch"}',
            '{"id": 1, "method": "tools/call", "params": 3}',
            '{"id": 1, "method": "tools/call", "params": {"name": 3}}',
            '{"id": 1, "method": "tools/call", "params": {"name": "report", "arguments": []}}',
            '{"id": 1, "x": "' + "y" * (2 << 20) + '"}',
        )
        self.assertEqual(
            [code(answer) for answer in answers],
            [-32700, -32700, -32600, -32600, -32601, -32602, -32602, -32602, -32600],
        )

    def test_a_command_that_fails(self):
        result = self.call("report", file="nosuch.tcap")["result"]
        self.assertTrue(result["isError"])
        self.assertIn("nosuch.tcap", result["content"][0]["text"])
        result = self.call("requests", file=LOCK, where="nosuch == 1")["result"]
        self.assertTrue(result["isError"])

    def test_no_option_goes_in(self):
        """What is an option would write files: words cannot be options."""
        for arguments in ({"file": "-o"}, {"file": LOCK, "id": "--output=x"}, {"file": ""}):
            with self.subTest(arguments):
                tool = "show" if "id" in arguments else "report"
                self.assertEqual(self.call(tool, **arguments)["error"]["code"], -32602)
        self.assertEqual(self.call("compare", base=[LOCK], new=["--output=x"])["error"]["code"], -32602)
        self.assertEqual(list(self.scratch.iterdir()), [])


if __name__ == "__main__":
    case.main()
