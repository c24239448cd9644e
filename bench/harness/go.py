"""The server under test: Go's net/http, one CPU, answers of 256 bytes."""
import os
import pathlib
import signal
import subprocess

from harness.nginx import Nginx, wait_for

SOURCE = """
package main

import (
	"net/http"
	"os"
)

func main() {
	answer := make([]byte, 256)
	for i := range answer {
		answer[i] = 'x'
	}
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { w.Write(answer) })
	http.ListenAndServe(os.Args[1], nil)
}
"""


class Go(Nginx):
    """The newest Go that is installed. Pinned to one CPU, so that it has one processor for its goroutines."""
    what = "Go net/http on CPU 0, wrk/load on CPU 1"

    def __enter__(self):
        source, program = self.folder / "server.go", self.folder / "go-server"
        source.write_text(SOURCE)
        compilers = sorted(pathlib.Path("/usr/lib").glob("go-1.*/bin/go"), key=lambda p: int(p.parts[3].split(".")[1]))
        subprocess.run([str(compilers[-1]) if compilers else "go", "build", "-o", str(program), str(source)], check=True,
                       env={**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})
        self.master = subprocess.Popen(["taskset", "-c", str(self.cpu), str(program), f"127.0.0.1:{self.port}"])
        wait_for(self.port)
        self.worker = self.master.pid  # taskset becomes it
        return self

    def __exit__(self, *_):
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(timeout=10)
