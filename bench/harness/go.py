"""The server under test: Go's net/http, one CPU, answers of 256 bytes, also over TLS."""
import os
import pathlib
import signal
import subprocess

from harness.nginx import Nginx, own_library, wait_for

SOURCE = """
package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	answer := make([]byte, 256)
	for i := range answer {
		answer[i] = 'x'
	}
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { w.Write(answer) })
	if len(os.Args) < 4 {
		http.ListenAndServe(os.Args[1], nil)
		return
	}
	// wrk speaks HTTP/1.1 only, and makes a connection that says nothing at first.
	server := http.Server{Addr: os.Args[1], TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ErrorLog: log.New(io.Discard, "", 0)}
	server.ListenAndServeTLS(os.Args[2], os.Args[3])
}
"""


def build(folder, text):
    """The program of this source, by the newest Go that is installed."""
    source, program = folder / "server.go", folder / "go-server"
    source.write_text(text)
    compilers = sorted(pathlib.Path("/usr/lib").glob("go-1.*/bin/go"), key=lambda p: int(p.parts[3].split(".")[1]))
    subprocess.run(
        [str(compilers[-1]) if compilers else "go", "build", "-o", str(program), str(source)],
        check=True,
        env={
            **os.environ,
            "GO111MODULE": "off",
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
            "GOPATH": "/usr/share/gocode",
        },
    )
    return program


class Go(Nginx):
    """Pinned to one CPU, so that it has one processor for its goroutines."""

    what = "Go net/http on CPU 0, wrk/load on CPU 1"

    def __enter__(self):
        program = build(self.folder, SOURCE)
        self.master = subprocess.Popen(
            ["taskset", "-c", str(self.cpu), str(program), f"127.0.0.1:{self.port}", *self.certificate()]
        )
        wait_for(self.port)
        self.worker = self.master.pid  # taskset becomes it
        return self

    def certificate(self):
        return []

    def __exit__(self, *_):
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(timeout=10)


class GoTls(Go):
    """Keep-alive over TLS 1.3; the key is one that handshakes cost little with."""

    scheme = "https"
    what = "Go net/http with TLS on CPU 0, wrk on CPU 1"

    def certificate(self):
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=localhost",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ],
            check=True,
            capture_output=True,
        )
        return [str(certificate), str(key)]

    def load_environment(self):
        return own_library(self.folder)
